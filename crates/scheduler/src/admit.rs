//! Admission: from a request to a turn that will not be lost.

use std::{collections::HashSet, sync::Arc};

use session::{
    event::EventId,
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::{IfBusy, Place},
    message::{Content, Message, Role, answered_before},
    run::Stop,
    tokens,
    turn::Options,
};
use store::{Admit, Admitted, Idempotency, Input, InputMessage, NextUp, Parent, SessionRef};

use crate::{
    Inner, Notice, Scheduler, Watch,
    live::{Live, Waits},
};

/// Messages that a turn's input can have.
pub const MESSAGES_MAX: usize = 1000;

/// Asks the model to go on; a message like any other, since a stateless upstream knows only what it is told.
const CONTINUE: &str = "Continue exactly where your last answer stopped. Do not repeat any of it.";

/// A turn that somebody wants.
#[derive(Debug, Clone)]
pub struct Ask {
    pub project: ProjectId,
    /// Without one a new session is made, under an id of ours.
    pub session: Option<SessionRef>,
    pub input: AskInput,
    pub parent: Parent,
    pub options: Options,
    pub metadata: Option<serde_json::Value>,
    /// What the surface that it comes by wants to read back.
    pub request: Option<serde_json::Value>,
    pub config: Option<ConfigId>,
    pub if_busy: IfBusy,
    /// It may run beside the lane. A new session becomes a chain by it; in a session that is none it changes nothing.
    pub free: bool,
    pub key: Option<Idempotency>,
}

#[derive(Debug, Clone)]
pub enum AskInput {
    Message(Content),
    /// Several messages in order. With results of tool calls among them, which then come first, they answer the calls
    /// of the turn before.
    Messages(Vec<Message>),
    /// Results by the id of the call.
    ToolResults(Vec<(String, Content)>),
    Retry(TurnId),
    Continue(TurnId),
    /// Messages that nobody is asked to answer.
    Insert(Vec<Message>),
}

/// An acknowledged turn.
pub struct Accepted {
    pub session: SessionId,
    pub turn: TurnId,
    /// Turns before it in the queue; `None` when it has started.
    pub position: Option<u32>,
    /// The same request came before.
    pub before: bool,
    pub watch: Watch,
}

impl Scheduler {
    /// Admits a turn. Goes on to its end when the caller stops waiting.
    pub async fn admit(&self, ask: Ask) -> store::Result<Accepted> {
        self.0.refuse_while_draining()?;
        let inner = self.0.clone();
        let admission = self.0.tasks.spawn(async move { inner.admit(ask).await });
        admission.await.unwrap_or_else(|_| Err(store::Error::Failed("admission broke off".into())))
    }

    /// What the same request made before, if it came before: what it names may be gone by now.
    pub async fn admitted(&self, project: ProjectId, key: Option<Idempotency>) -> store::Result<Option<Accepted>> {
        let Some(key) = key else { return Ok(None) };
        match self.0.store.made(project.clone(), key).await? {
            Some((session, turn)) => self.0.join(project, session, turn).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Inner {
    pub(crate) fn refuse_while_draining(&self) -> store::Result<()> {
        if self.draining.is_cancelled() {
            return Err(store::Error::Closed("the server is shutting down; send it again in a moment".into()));
        }
        Ok(())
    }

    async fn admit(self: Arc<Self>, ask: Ask) -> store::Result<Accepted> {
        let project = ask.project.clone();
        let turn: TurnId = self.clock.id();
        let request = self.request(ask, &turn);
        let (made, session) = match &request.session {
            SessionRef::New(session) => (true, session.clone()),
            SessionRef::Existing(session) => (false, session.clone()),
        };
        // Known before it is stored, so that nobody who learns of the turn finds it missing.
        let live = Live::new(project.clone(), session.clone(), turn.clone());
        self.lives.insert(live.clone());
        let admitted = self.store.admit(request).await;
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(error) => {
                self.lives.remove(&live);
                live.abandon();
                return Err(error);
            }
        };
        match admitted {
            Admitted::Before { session, turn } => {
                self.lives.remove(&live);
                self.join(project, session, turn).await
            }
            Admitted::Started(started) => {
                self.acknowledge(&live, made);
                self.spawn_lane(NextUp::Started(started), project.clone(), session.clone());
                Ok(self.accepted(live, None))
            }
            Admitted::Queued { position, free, parent, stop, look_again, .. } => {
                self.acknowledge(&live, made);
                live.queued(&self.feed, position, Waits { in_lane: !free, parent });
                self.queue_changed(&live);
                if let Some(running) = stop.and_then(|turn| self.lives.get(&project, &turn)) {
                    running.stop(Stop::MakeWay);
                }
                if let Some(until) = look_again {
                    self.spawn_lane(NextUp::Wait(until), project, session);
                }
                Ok(self.accepted(live, Some(position)))
            }
        }
    }

    async fn join(&self, project: ProjectId, session: SessionId, turn: TurnId) -> store::Result<Accepted> {
        // A deleted session's turns are not found, under their keys neither.
        self.store.turn(project.clone(), turn.clone()).await?.ok_or(store::Error::TurnNotFound)?;
        let live = self.lives.get(&project, &turn);
        let watch = Watch::new(self.store.clone(), project, turn.clone(), EventId::START, live);
        Ok(Accepted { session, turn, position: None, before: true, watch })
    }

    fn acknowledge(&self, live: &Live, made: bool) {
        self.stats.admitted();
        if made {
            self.feed.push(&live.project, Notice::SessionCreated { session: live.session.clone() });
        }
    }

    fn accepted(&self, live: Arc<Live>, position: Option<u32>) -> Accepted {
        let (session, turn) = (live.session.clone(), live.turn.clone());
        let watch = Watch::new(self.store.clone(), live.project.clone(), turn.clone(), EventId::START, Some(live));
        Accepted { session, turn, position, before: false, watch }
    }

    pub(crate) fn request(&self, ask: Ask, turn: &TurnId) -> Admit {
        let place = match &ask.input {
            AskInput::Message(_) => Place::Back,
            AskInput::Messages(messages) | AskInput::Insert(messages)
                if answered_before(messages.iter()).is_empty() =>
            {
                Place::Back
            }
            AskInput::Messages(_)
            | AskInput::Insert(_)
            | AskInput::ToolResults(_)
            | AskInput::Retry(_)
            | AskInput::Continue(_) => Place::Front,
        };
        let input = match ask.input {
            AskInput::Message(content) => Input::Messages(vec![self.message(Message::new(Role::User, content))]),
            AskInput::Messages(messages) => self.several(messages),
            AskInput::ToolResults(results) => Input::ToolResults(
                results
                    .into_iter()
                    .map(|(id, content)| {
                        self.message(Message { tool_call_id: Some(id), ..Message::new(Role::Tool, content) })
                    })
                    .collect(),
            ),
            AskInput::Retry(turn) => Input::Again { turn, ids: (0..MESSAGES_MAX).map(|_| self.clock.id()).collect() },
            AskInput::Insert(messages) => Input::Insert(messages.into_iter().map(|it| self.message(it)).collect()),
            AskInput::Continue(turn) => Input::Continue { turn, ask: self.message(Message::user(CONTINUE)) },
        };
        Admit {
            project: ask.project,
            turn: turn.clone(),
            session: ask.session.unwrap_or_else(|| SessionRef::New(self.clock.id())),
            input,
            parent: ask.parent,
            options: ask.options,
            metadata: ask.metadata,
            request: ask.request,
            config: ask.config,
            if_busy: ask.if_busy,
            place,
            queue_max: self.settings.queue_max,
            free: ask.free,
            key: ask.key,
            owner: self.owner.clone(),
            now: self.clock.now(),
        }
    }

    /// Results of calls that were made before go first; those of calls among the messages keep their place.
    fn several(&self, messages: Vec<Message>) -> Input {
        let before: HashSet<String> = answered_before(messages.iter()).into_iter().map(str::to_owned).collect();
        let is_result = |message: &Message| message.tool_call_id.as_ref().is_some_and(|id| before.contains(id));
        let (results, others): (Vec<Message>, Vec<Message>) = messages.into_iter().partition(is_result);
        let messages = results.into_iter().chain(others).map(|message| self.message(message)).collect();
        if before.is_empty() { Input::Messages(messages) } else { Input::ToolResults(messages) }
    }

    pub(crate) fn message(&self, message: Message) -> InputMessage {
        InputMessage { id: self.clock.id(), tokens: tokens::of_message(&message), message }
    }
}
