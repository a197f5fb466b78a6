//! What storage refuses, in OpenAI's codes. Stock clients try a 409 again by themselves, so here there is none.

use axum::response::{IntoResponse, Response};
use store::{Error, Turn};

use super::request::{conversation_not_found, previous_response_not_found};
use crate::{error::ApiError, if_busy::locked, refusal::of_failed_turn};

/// Of an admission.
pub fn of_admission(error: Error, model: Option<&str>) -> ApiError {
    match error {
        Error::Busy { turn } => locked(turn),
        Error::SessionNotFound => conversation_not_found().param("conversation"),
        Error::TurnNotFound => previous_response_not_found(),
        Error::ConfigNotFound => super::request::model_not_found(model.unwrap_or("(default)")),
        Error::ParentNotStarted => ApiError::bad_request(
            "previous_response_not_started",
            "The previous response is still queued, or was cancelled there. Wait for it, or send to its conversation.",
        )
        .param("previous_response_id"),
        Error::NotEnded => ApiError::bad_request(
            "previous_response_not_ended",
            "The response whose function calls these outputs answer has not ended. Wait for it.",
        )
        .param("previous_response_id"),
        Error::ToolCallsSuperseded => ApiError::bad_request(
            "tool_calls_superseded",
            "The conversation has gone on since these function calls. Name their response as previous_response_id.",
        )
        .param("input"),
        Error::NoToolCalls => {
            ApiError::bad_request("no_such_tool_call", "The response before made no function call with this call_id.")
                .param("input")
        }
        other => other.into(),
    }
}

/// Of a turn that somebody waited for. Its message is kept, and sending it again would make another.
pub fn of_failed(turn: &Turn) -> Response {
    of_failed_turn(turn).not_again().into_response()
}
