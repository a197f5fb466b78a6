//! A title for a session, made by a model after its first answer. Never in the way of a conversation: it is asked for
//! once, aside from the lane, takes no place that a turn waits for, and ends with the server. What goes wrong is a line
//! in the log, and the session keeps its first line.

use std::{sync::Arc, time::Duration};

use provider::Reply;
use session::{
    event::Delta,
    history::Prompt,
    id::{ConfigId, ProjectId, SessionId, TurnId},
    message::Role,
    title,
    turn::{Failure, Options},
};
use store::{ConfigAt, Order, Page, Turn};

use crate::{Inner, Notice, target};

const PATIENCE: Duration = Duration::from_secs(20);
/// A title takes a tenth of it; the rest is for models that think first.
const TOKENS: u64 = 512;
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Parameters of a config that are about its conversations.
const NOT_FOR_TITLES: [&str; 7] =
    ["tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "max_tokens", "max_completion_tokens"];

/// What became of a title.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Made,
    /// Somebody named the session meanwhile.
    Unwanted,
    /// Nobody was asked: an echo has no titles, or turns needed the place.
    Skipped,
    Failed,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Outcome::Made => "made",
            Outcome::Unwanted => "unwanted",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
        }
    }
}

/// The exchange that a title is made of.
struct Exchange {
    project: ProjectId,
    session: SessionId,
    turn: TurnId,
    config: ConfigId,
    answer: String,
}

impl Inner {
    /// Makes the title of a session by the turn that has just been answered.
    pub(crate) fn spawn_title(self: &Arc<Self>, project: &ProjectId, turn: &Turn) {
        let Some((config, answer)) = turn.config.clone().zip(turn.answer.as_ref()) else { return };
        let exchange = Exchange {
            project: project.clone(),
            session: turn.session.clone(),
            turn: turn.id.clone(),
            config,
            answer: answer.message.content.text().into_owned(),
        };
        let inner = self.clone();
        self.tasks.spawn(async move {
            let outcome = tokio::select! {
                biased;
                () = inner.draining.cancelled() => Outcome::Skipped,
                made = tokio::time::timeout(PATIENCE, inner.title(&exchange)) => match made {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(error)) => exchange.failed(&error),
                    Err(_) => exchange.failed(&format!("no title within {} s", PATIENCE.as_secs())),
                },
            };
            inner.stats.title(outcome);
        });
    }

    async fn title(&self, exchange: &Exchange) -> Result<Outcome, String> {
        let Exchange { project, session, .. } = exchange;
        let store = |error: store::Error| error.to_string();
        let config = self.store.title_config(project.clone(), exchange.config.clone()).await.map_err(store)?;
        let Some(config) = config.filter(|config| config.config.provider != "echo") else {
            return Ok(Outcome::Skipped);
        };
        let message = self.first_message(exchange).await.map_err(store)?;
        let Some(place) = self.gates.spare(project, &config.id, config.config.max_concurrency) else {
            return Ok(Outcome::Skipped);
        };
        let answer = tokio::select! {
            biased;
            () = place.wanted() => return Ok(Outcome::Skipped),
            answer = self.ask_for_title(&config, &message, &exchange.answer) => answer,
        };
        // The failure's words may quote the upstream, which may quote what was said.
        let answer = answer.map_err(|failure| failure.code.as_str())?;
        let Some(title) = title::of_answer(&answer) else { return Err("the answer holds no title".into()) };
        if !self.store.title_made(project.clone(), session.clone(), title).await.map_err(store)? {
            return Ok(Outcome::Unwanted);
        }
        self.feed.push(project, Notice::SessionUpdated { session: session.clone() });
        Ok(Outcome::Made)
    }

    async fn first_message(&self, exchange: &Exchange) -> store::Result<String> {
        let Exchange { project, session, turn, .. } = exchange;
        let first = Page { limit: 1, after: None, before: None, order: Order::Asc };
        let path = self.store.path(project.clone(), session.clone(), Some(turn.clone()), first).await?;
        let said = path.messages.into_iter().map(|found| found.message.message).find(|said| said.role == Role::User);
        Ok(said.map(|said| said.content.text().into_owned()).unwrap_or_default())
    }

    async fn ask_for_title(&self, config: &ConfigAt, message: &str, answer: &str) -> Result<String, Failure> {
        let target = target::resolve(config, &self.settings.env_keys)?;
        let mut params = config.config.params.clone();
        params.retain(|name, _| !NOT_FOR_TITLES.contains(&name.as_str()));
        let prompt = Prompt {
            model: config.config.model.clone(),
            messages: title::ask(message, answer).map(Arc::new).into(),
            params,
            options: Options { max_tokens: Some(TOKENS), ..Options::default() },
        };
        let body = self.providers.body(&target, &prompt)?;
        self.read_title(self.providers.call(&target, &prompt.model, body)).await
    }

    async fn read_title(&self, mut reply: Reply) -> Result<String, Failure> {
        let mut answer = String::new();
        while let Some(delta) = reply.next().await {
            match delta? {
                Delta::Text(text) => answer.push_str(&text),
                Delta::Usage(usage) => self.stats.tokens(&usage),
                _ => {}
            }
            if answer.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok(answer)
    }
}

impl Exchange {
    fn failed(&self, why: &str) -> Outcome {
        tracing::info!(session_id = %self.session, turn_id = %self.turn, why, "a title was not made");
        Outcome::Failed
    }
}
