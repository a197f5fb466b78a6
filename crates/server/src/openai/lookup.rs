//! Items that lie in the store, and from the items of a request to messages: what it only points at is looked up.

use serde_json::Value;
use session::{
    id::{ProjectId, SessionId},
    message::Message,
    summary,
};

use super::{
    ids::{self, Source},
    input::{self, Item},
    items,
};
use crate::{app::App, error::ApiError};

/// `known` is the session that is continued: what is referred to there, the model is told already.
pub async fn messages(
    app: &App,
    project: &ProjectId,
    known: Option<&SessionId>,
    param: &str,
    items: Vec<Item>,
) -> Result<Vec<Message>, ApiError> {
    let mut messages = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        match item {
            Item::Said(message) => messages.push(message),
            Item::Sealed(sealed) => messages.push(opened(app, project, &sealed, &format!("{param}[{at}]"))?),
            Item::Nothing => {}
            Item::Reference(id) => {
                let at = format!("{param}[{at}]");
                let Some(found) = stored(app, project, &id).await? else { return Err(not_found(&at)) };
                if known != Some(&found.session)
                    && let Value::Object(wanted) = found.item(&id).ok_or_else(|| not_found(&at))?
                    && let Item::Said(message) = input::item(&wanted, &at, &app.bounds)?
                {
                    messages.push(message);
                }
            }
        }
    }
    Ok(messages)
}

/// A stored message, and the items that it is.
pub struct Stored {
    pub session: SessionId,
    pub items: Vec<Value>,
}

impl Stored {
    pub fn item(self, id: &str) -> Option<Value> {
        self.items.into_iter().find(|item| item["id"] == id)
    }
}

/// The message that an item is of.
pub async fn stored(app: &App, project: &ProjectId, item: &str) -> Result<Option<Stored>, ApiError> {
    Ok(match ids::source(item) {
        None => None,
        Some(Source::Input(id)) => {
            let found = app.store().input_message(project.clone(), id).await?;
            found.map(|found| Stored { items: items::of_input(&found.id, &found.message), session: found.session_id })
        }
        Some(Source::Answer(turn)) => {
            let found = app.store().turn(project.clone(), turn).await?;
            found.and_then(|turn| {
                let status = items::status_after(turn.status);
                let answer = turn.answer?;
                let items = items::of_answer(&turn.id, &answer.message, status);
                Some(Stored { session: turn.session, items })
            })
        }
    })
}

fn opened(app: &App, project: &ProjectId, sealed: &str, at: &str) -> Result<Message, ApiError> {
    let summary = app.store().unseal_summary(project, sealed).ok_or_else(|| {
        let message = "This compaction cannot be read here: it was made by another server, or for another project. Send the conversation itself.";
        ApiError::bad_request("invalid_value", message).param(format!("{at}.encrypted_content"))
    })?;
    Ok(summary::told(&summary))
}

fn not_found(at: &str) -> ApiError {
    let message = "There is no item of that id to refer to. Send the item itself.";
    ApiError::bad_request("item_not_found", message).param(format!("{at}.id"))
}
