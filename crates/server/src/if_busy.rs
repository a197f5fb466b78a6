//! `X-Turnwise-If-Busy`, for the surfaces whose bodies have no field of ours: what a send wants when its session is busy.

use axum::extract::FromRequestParts;
use http::{HeaderName, request::Parts};
use session::{id::TurnId, lane::IfBusy};

use crate::error::{ApiError, clip};

const HEADER: HeaderName = HeaderName::from_static("x-turnwise-if-busy");

/// `queue` unless the header says `reject` or `interrupt`.
#[derive(Debug, Clone, Copy)]
pub struct WhenBusy(pub IfBusy);

impl<S: Sync> FromRequestParts<S> for WhenBusy {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(HEADER) else { return Ok(WhenBusy(IfBusy::Queue)) };
        let text = String::from_utf8_lossy(value.as_bytes());
        text.parse().map(WhenBusy).map_err(|_| {
            let message = format!("`{}` is not a value of {HEADER}: queue, reject or interrupt.", clip(&text, 60));
            ApiError::bad_request("invalid_header", message).param(HEADER.as_str())
        })
    }
}

/// The answer to `reject`. Not a 409, which stock clients send again by themselves.
pub fn locked(turn: Option<TurnId>) -> ApiError {
    let message = "The conversation is busy with another turn. Wait for its end, or send without X-Turnwise-If-Busy: reject to be queued behind it.";
    let locked = ApiError::bad_request("conversation_locked", message);
    match turn {
        Some(turn) => locked.turn_id(turn.to_string()),
        None => locked,
    }
}
