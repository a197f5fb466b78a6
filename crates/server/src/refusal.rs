//! What storage and upstreams refuse, said as answers.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use session::turn::{Failure, FailureCode};
use store::{Error, Turn};

use crate::{error::ApiError, wire::Answer};

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::SessionNotFound => ApiError::not_found(
                "session_not_found",
                "There is no session of that id. Make one with POST /sessions, or leave session_id out.",
            )
            .param("session_id"),
            Error::TurnNotFound => ApiError::not_found("turn_not_found", "There is no turn of that id."),
            Error::MessageNotFound => ApiError::not_found("message_not_found", "There is no message of that id."),
            Error::ConfigNotFound => ApiError::not_found(
                "config_not_found",
                "There is no such config, or the session's was deleted, or there is none at all. GET /configs lists them; POST /configs makes one; config_id names another.",
            )
            .param("config_id"),
            Error::KeyNotFound => ApiError::not_found("key_not_found", "There is no API key of that id."),
            Error::Taken => {
                ApiError::conflict("id_taken", "Something of that id exists, or was changed meanwhile.").param("id")
            }
            Error::Busy { turn } => {
                let busy = ApiError::conflict(
                    "session_busy",
                    "The session is busy with another turn. Wait for it, send with if_busy \"queue\" or \"interrupt\", or cancel it.",
                );
                match turn {
                    Some(turn) => busy.turn_id(turn.to_string()),
                    None => busy,
                }
            }
            Error::QueueFull { max } => ApiError::too_many(
                "queue_full",
                format!("The session has queue_max = {max} turns waiting. Send again when some have run."),
            )
            .retry_after(Duration::from_secs(1)),
            Error::ParentNotStarted => ApiError::conflict(
                "parent_not_started",
                "The parent turn waits in the queue or was cancelled there. Name one that has started.",
            )
            .param("parent"),
            Error::NotStarted => ApiError::conflict(
                "turn_not_started",
                "The turn waits in the queue or was cancelled there, so it has no place in the session yet.",
            )
            .param("branch"),
            Error::ToolCallsSuperseded => ApiError::conflict(
                "tool_calls_superseded",
                "The session has gone on since these tool calls. Name their turn as parent to branch off from it.",
            )
            .param("tool_results"),
            Error::NoToolCalls => {
                ApiError::bad_request("no_such_tool_call", "The turn before made no tool call with this id.")
                    .param("tool_results")
            }
            Error::NotEnded => {
                ApiError::conflict("turn_not_ended", "The turn has not ended. Wait for it, or cancel it first.")
            }
            Error::AlreadyStarted => ApiError::conflict(
                "turn_already_started",
                "The turn no longer waits, so it cannot be changed. Cancel it if it runs, or send another with the same parent.",
            ),
            Error::NotEditable => ApiError::conflict(
                "turn_not_editable",
                "The turn carries tool results or continues an answer: its message cannot be changed. Cancel it instead.",
            ),
            Error::NotInQueue => ApiError::conflict(
                "turn_not_in_queue",
                "The turn waits for the one that it continues and for nothing else, so it has no place to be moved to.",
            )
            .param("position"),
            Error::NotIncomplete => ApiError::conflict(
                "turn_not_incomplete",
                "The turn has a whole answer, or none at all: there is nothing to continue. Use retry.",
            ),
            Error::NothingAsked => ApiError::conflict(
                "message_deleted",
                "What the turn was asked has been deleted: there is nothing to try again. Send a message instead.",
            ),
            Error::KeyReused => ApiError::unprocessable(
                "idempotency_key_reused",
                "This Idempotency-Key came before with another body. Use a new key for a new request.",
            )
            .param("idempotency-key"),
            Error::BadCursor(param) => ApiError::bad_request(
                "invalid_cursor",
                "This cursor is not of this list. Use the `next` that the list gave.",
            )
            .param(param),
            Error::Full => ApiError::insufficient_storage(
                "storage_full",
                "The server's disk is full. Nothing was stored; send it again when there is room.",
            ),
            Error::Overloaded => ApiError::unavailable(
                "overloaded",
                "The server has more to store than it can. Send it again in a moment.",
            )
            .retry_after(Duration::from_secs(1)),
            Error::Closed(why) => ApiError::unavailable(
                "storage_closed",
                "The server takes no writes at present. Send it again in a moment.",
            )
            .retry_after(Duration::from_secs(2))
            .log(why),
            Error::Lost | Error::Unknown(_) | Error::Failed(_) => ApiError::internal(error.to_string()),
        }
    }
}

/// Where a field names a turn: it is at fault when there is none of that id.
pub fn of_turn_in(field: &'static str) -> impl FnOnce(Error) -> ApiError {
    move |error| match error {
        Error::TurnNotFound => ApiError::from(error).param(field),
        other => other.into(),
    }
}

/// A turn that failed, as the answer to whoever waited for it.
pub fn of_failed_turn(turn: &Turn) -> ApiError {
    let Some(error) = &turn.error else {
        return ApiError::internal(format!("turn {} failed without a reason", turn.id));
    };
    let fields = match serde_json::to_value(Answer::from(turn)) {
        Ok(Value::Object(fields)) => fields,
        _ => Default::default(),
    };
    of_failure(error).turn_id(turn.id.to_string()).fields(fields)
}

/// What went wrong alone.
pub fn of_failure(error: &Failure) -> ApiError {
    let status = match error.code {
        FailureCode::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        FailureCode::UpstreamRateLimited => StatusCode::TOO_MANY_REQUESTS,
        FailureCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_GATEWAY,
    };
    let refusal = ApiError::upstream(status, error.code.as_str(), error.message.clone());
    match error.retry_after_ms {
        Some(ms) => refusal.retry_after(Duration::from_millis(ms)),
        None => refusal,
    }
}
