//! What chat completions and Anthropic's messages have in common: a request brings its whole conversation along. It is
//! answered aside, and nothing is kept of it, or becomes a turn of the session that it names: to that goes what is new,
//! since the session has the rest.

mod answer;
mod kept;
mod refusal;

use scheduler::{Accepted, Aside, Ask, AskInput, Watch};
use session::{
    id::{ConfigId, ProjectId, SessionId},
    lane::IfBusy,
    message::Message,
    turn::Options,
};
use store::{Error, Idempotency, Parent, SessionRef, Turn};

pub use self::{
    answer::{Fold, Told},
    kept::{SESSION, SessionHeader, session_id},
};
use self::{
    kept::{New, is_there},
    refusal::of_admission,
};
use crate::{app::App, error::ApiError};

/// A request in our words.
#[derive(Debug)]
pub struct Completion {
    /// Without one the session's, else the default.
    pub config: Option<ConfigId>,
    /// All of them as they are to be sent, those of the system too.
    pub messages: Vec<Message>,
    pub options: Options,
}

/// Where a completion is to be kept.
#[derive(Debug)]
pub struct Kept {
    /// Made when there is none.
    pub session: SessionId,
    pub if_busy: IfBusy,
    pub key: Option<Idempotency>,
}

/// A completion on its way.
pub struct Begun {
    pub turn: Turn,
    kept: bool,
    /// Of one that is not kept, dropping it cancels the call.
    watch: Watch,
}

impl Completion {
    pub async fn begin(self, app: &App, project: &ProjectId, kept: Option<Kept>) -> Result<Begun, ApiError> {
        match kept {
            None => self.aside(app, project).await,
            Some(kept) => self.keep(app, project, kept).await,
        }
    }

    async fn aside(self, app: &App, project: &ProjectId) -> Result<Begun, ApiError> {
        let config = self.config.clone();
        let ask = Ask {
            project: project.clone(),
            session: None,
            input: AskInput::Messages(self.messages),
            parent: Parent::Head,
            // The request's own system prompt is among its messages; where there is none, none is meant.
            options: Options { system: Some(String::new()), ..self.options },
            metadata: None,
            request: None,
            config: self.config,
            if_busy: IfBusy::Queue,
            free: false,
            key: None,
        };
        let aside = app.scheduler.aside(ask).await;
        let Aside { turn, watch } = aside.map_err(|error| of_admission(error, config.as_ref()))?;
        Ok(Begun { turn, kept: false, watch })
    }

    async fn keep(self, app: &App, project: &ProjectId, kept: Kept) -> Result<Begun, ApiError> {
        let Completion { config, messages, options } = self;
        let New { system, before, messages } = New::of(messages, &app.bounds)?;
        let options = Options { system, ..options };
        // The session belongs to the scope of the key as if it stood in the path.
        let key = kept.key.map(|key| Idempotency { path: format!("{} {}", key.path, kept.session), ..key });
        let ask = |session, messages| Ask {
            project: project.clone(),
            session: Some(session),
            input: AskInput::Messages(messages),
            parent: Parent::Head,
            options: options.clone(),
            metadata: None,
            request: None,
            config: config.clone(),
            if_busy: kept.if_busy,
            free: false,
            key: key.clone(),
        };
        let (existing, new) = (SessionRef::Existing(kept.session.clone()), SessionRef::New(kept.session.clone()));
        let admitted = if is_there(app, project, &kept.session).await? {
            app.scheduler.admit(ask(existing, messages)).await
        } else {
            // It knows nothing of what came before.
            match app.scheduler.admit(ask(new, [before, messages.clone()].concat())).await {
                // Somebody else made it meanwhile; otherwise it was deleted, and keeps its id until it is purged.
                Err(Error::Taken) if is_there(app, project, &kept.session).await? => {
                    app.scheduler.admit(ask(existing, messages)).await
                }
                admitted => admitted,
            }
        };
        let Accepted { turn, watch, .. } = admitted.map_err(|error| of_admission(error, config.as_ref()))?;
        let turn = app.store().turn(project.clone(), turn).await?.ok_or(Error::TurnNotFound)?;
        Ok(Begun { turn, kept: true, watch })
    }
}
