//! Which session a completion is kept in, and what of its messages is new there.

use axum::extract::FromRequestParts;
use http::{HeaderName, request::Parts};
use scheduler::MESSAGES_MAX;
use session::{
    id::{ProjectId, SessionId},
    message::{Message, Role},
};

use crate::{
    app::{App, Bounds},
    check,
    error::ApiError,
};

pub const SESSION: HeaderName = HeaderName::from_static("x-turnwise-session");

/// The session that a request's header names, if it names one.
#[derive(Debug)]
pub struct SessionHeader(pub Option<SessionId>);

impl<S: Sync> FromRequestParts<S> for SessionHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(SESSION) else { return Ok(SessionHeader(None)) };
        session_id(&String::from_utf8_lossy(value.as_bytes()), SESSION.as_str()).map(|id| SessionHeader(Some(id)))
    }
}

pub fn session_id(text: &str, param: &str) -> Result<SessionId, ApiError> {
    text.parse().map_err(|error: session::id::BadId| {
        ApiError::bad_request("invalid_session_id", format!("`{param}` does not fit: {error}.")).param(param)
    })
}

pub async fn is_there(app: &App, project: &ProjectId, id: &SessionId) -> Result<bool, ApiError> {
    Ok(app.store().session(project.clone(), id.clone()).await?.is_some())
}

/// A whole conversation, with what is new in it.
pub struct New {
    /// What the system says before anybody else does: it stands for this turn alone.
    pub system: Option<String>,
    /// Up to the last message of the assistant.
    pub before: Vec<Message>,
    /// Behind it.
    pub messages: Vec<Message>,
}

impl New {
    pub fn of(mut messages: Vec<Message>, bounds: &Bounds) -> Result<New, ApiError> {
        let first = messages.iter().position(|message| message.role != Role::System).unwrap_or(messages.len());
        let mut before = messages.split_off(first);
        let system: Vec<_> = messages.iter().map(|message| message.content.text()).collect();
        let system = (!system.is_empty()).then(|| system.join("\n\n"));
        let from = before.iter().rposition(|message| message.role == Role::Assistant).map_or(0, |last| last + 1);
        let new = before.split_off(from);
        if before.len() + new.len() > MESSAGES_MAX {
            let message = format!("A turn takes {MESSAGES_MAX} messages, each result of a tool counted as one.");
            return Err(ApiError::bad_request("invalid_value", message).param("messages"));
        }
        check_new(&new, bounds)?;
        Ok(New { system, before, messages: new })
    }
}

fn check_new(new: &[Message], bounds: &Bounds) -> Result<(), ApiError> {
    let refused = |code, message: String| Err(ApiError::bad_request(code, message).param("messages"));
    if new.is_empty() {
        let message = "There is no new message: with a session, send at least one behind the last of the assistant.";
        return refused("no_new_message", message.to_owned());
    }
    let results: Vec<_> = new.iter().filter_map(|message| message.tool_call_id.as_deref()).collect();
    if results.len() > bounds.tool_results_max {
        let max = bounds.tool_results_max;
        return refused("invalid_tool_results", format!("One send has at most tool_results_max = {max} results."));
    }
    if results.iter().enumerate().any(|(at, call)| results[..at].contains(call)) {
        return refused("invalid_tool_results", "Two results answer one tool call.".to_owned());
    }
    new.iter()
        .filter(|message| message.role == Role::User)
        .try_for_each(|message| check::content(&message.content, "messages", bounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(messages: Vec<Message>) -> Result<(Option<String>, Vec<String>), &'static str> {
        let new = New::of(messages, &Bounds::default()).map_err(|error| error.code())?;
        let texts = new.messages.iter().map(|message| message.content.text().into_owned());
        Ok((new.system, texts.collect()))
    }

    #[test]
    fn what_follows_the_last_answer_is_new_and_the_first_words_of_the_system_are_its_prompt() {
        let (system, user, assistant) = (Message::system, Message::user, Message::assistant);
        let table = [
            (vec![user("a")], Ok((None, vec!["a"]))),
            (vec![system("s"), system("t"), user("a")], Ok((Some("s\n\nt"), vec!["a"]))),
            (vec![system("s"), user("a"), assistant("b"), user("c")], Ok((Some("s"), vec!["c"]))),
            (vec![user("a"), assistant("b"), system("s"), user("c")], Ok((None, vec!["s", "c"]))),
            (vec![user("a"), assistant(""), Message::tool("x", "r"), user("c")], Ok((None, vec!["r", "c"]))),
            (vec![], Err("no_new_message")),
            (vec![system("s")], Err("no_new_message")),
            (vec![user("a"), assistant("b")], Err("no_new_message")),
            (vec![user("")], Err("message_empty")),
            (vec![Message::tool("x", "1"), Message::tool("x", "2")], Err("invalid_tool_results")),
        ];
        for (messages, expected) in table {
            let own = |(system, texts): (Option<&str>, Vec<&str>)| {
                (system.map(str::to_owned), texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
            };
            assert_eq!(new(messages.clone()), expected.map(own), "{messages:?}");
        }
    }

    #[test]
    fn results_are_bounded() {
        let results: Vec<Message> = (0..65).map(|at| Message::tool(&at.to_string(), "r")).collect();
        assert_eq!(new(results), Err("invalid_tool_results"));
    }
}
