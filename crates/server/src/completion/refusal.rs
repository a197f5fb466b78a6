//! What storage refuses of a completion. Stock clients send a 409 again by themselves, so here there is none.

use axum::response::{IntoResponse, Response};
use session::id::ConfigId;
use store::{Error, Turn};

use super::SESSION;
use crate::{
    error::ApiError,
    if_busy::locked,
    openai::model_not_found,
    refusal::{of_failed_turn, of_failure},
};

pub fn of_admission(error: Error, config: Option<&ConfigId>) -> ApiError {
    match error {
        Error::ConfigNotFound => model_not_found(config.map_or("(default)", |config| config.as_str())),
        Error::Busy { turn } => locked(turn),
        Error::Taken => ApiError::bad_request(
            "session_deleted",
            "The session of that id was deleted. Restore it with POST /sessions/{id}/restore, or use another id.",
        )
        .param(SESSION.as_str()),
        Error::NotEnded | Error::ToolCallsSuperseded => ApiError::bad_request(
            "tool_calls_superseded",
            "The session has gone on since these tool calls were made, or they are still being made. GET /sessions/{id}/messages shows how it stands.",
        )
        .param("messages"),
        Error::NoToolCalls => ApiError::bad_request(
            "no_such_tool_call",
            "A result answers a tool call that was not made, or was not made in the answer before.",
        )
        .param("messages"),
        other => other.into(),
    }
}

/// Of a turn that failed. One that is not kept has no name that anybody could use.
pub fn failure(turn: &Turn, kept: bool) -> ApiError {
    match &turn.error {
        Some(error) if !kept => of_failure(error),
        _ => of_failed_turn(turn),
    }
}

/// The same as an answer. Where the message is kept, sending it again would make another; and where nothing has changed
/// by then, it would fail again.
pub fn of_failed(turn: &Turn, kept: bool) -> Response {
    let may_retry = !kept && turn.error.as_ref().is_some_and(|error| error.code.is_passing());
    let failed = failure(turn, kept);
    if may_retry { failed.into_response() } else { failed.not_again().into_response() }
}
