//! `POST /chat`: a message to a session, and what the model says to it.

use axum::{extract::State, response::Response};
use http::HeaderMap;
use scheduler::{Ask, AskInput};
use session::{lane::IfBusy, message::Content};
use store::{Parent, SessionRef};

use crate::{
    answer::{Wants, answer},
    app::{App, Bounds},
    auth::Caller,
    body::Body,
    check,
    error::{ApiError, ErrorBody},
    idempotency::Key,
    refusal::of_turn_in,
    wire::{Answer, ChatRequest, Object, ToolResult, TurnView},
};

/// Send a message
///
/// Finds the session, or makes one, admits the turn, and answers when it has ended: as one object, as a stream of
/// server-sent events (`stream`), or at once (`wait: false`). The message is stored before the model is called.
#[utoipa::path(
    post, path = "/chat", tag = "Chat", request_body = ChatRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "One key makes one turn: a retry joins it"),
    ),
    responses(
        (status = 200, description = "The turn ended; or its events, as text/event-stream", body = Answer),
        (status = 202, description = "Admitted (`wait: false`)", body = TurnView),
        (status = 400, description = "The request does not fit", body = ErrorBody),
        (status = 404, description = "No such session, config or parent turn", body = ErrorBody),
        (status = 409, description = "The session is busy, or has gone on", body = ErrorBody),
        (status = 422, description = "The Idempotency-Key came with another body", body = ErrorBody),
        (status = 429, description = "The session's queue is full, or the upstream limits its rate", body = ErrorBody),
        (status = 502, description = "The upstream failed; the message is kept, retry the turn", body = ErrorBody),
        (status = 504, description = "The upstream took too long; the message is kept, retry the turn", body = ErrorBody),
        (status = 507, description = "The disk is full; nothing was stored", body = ErrorBody),
    )
)]
pub async fn chat(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    headers: HeaderMap,
    Body { value: mut request, raw }: Body<ChatRequest>,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    drop(raw);
    let wants = Wants::new(&headers, request.stream, request.wait, request.on_disconnect);
    let results = request.tool_results.take().map(|results| results.into_iter().map(|Object(result)| result).collect());
    let input = input(request.message.take(), results, &app.bounds)?;
    if let Some(metadata) = &request.metadata {
        check::metadata(metadata, &app.bounds)?;
    }
    let options = request.options();
    check::options(&options)?;
    let parent = match request.parent {
        None => Parent::Head,
        Some(None) => Parent::Root,
        Some(Some(turn)) => Parent::Turn(turn),
    };
    let ask = Ask {
        project: caller.project.clone(),
        session: request.session_id.map(SessionRef::Existing),
        input,
        parent,
        options,
        metadata: request.metadata,
        request: None,
        config: request.config_id,
        if_busy: request.if_busy.unwrap_or(IfBusy::Queue),
        free: false,
        key,
    };
    let accepted = app.scheduler.admit(ask).await.map_err(of_turn_in("parent"))?;
    answer(&app, &caller, accepted, wants).await
}

fn input(
    message: Option<Content>,
    tool_results: Option<Vec<ToolResult>>,
    bounds: &Bounds,
) -> Result<AskInput, ApiError> {
    match (message, tool_results) {
        (Some(message), None) => {
            check::content(&message, "message", bounds)?;
            Ok(AskInput::Message(message))
        }
        (None, Some(results)) => tool_input(results, bounds),
        (None, None) => {
            Err(ApiError::bad_request("message_required", "Send a `message`, or `tool_results` in its place.")
                .param("message"))
        }
        (Some(_), Some(_)) => {
            let message = "Send `message` or `tool_results`, not both: the results first, the message after.";
            Err(ApiError::bad_request("message_and_tool_results", message).param("tool_results"))
        }
    }
}

fn tool_input(results: Vec<ToolResult>, bounds: &Bounds) -> Result<AskInput, ApiError> {
    let max = bounds.tool_results_max;
    if results.is_empty() || results.len() > max {
        let message = format!("`tool_results` holds 1 to tool_results_max = {max} results.");
        return Err(ApiError::bad_request("invalid_tool_results", message).param("tool_results"));
    }
    for (at, result) in results.iter().enumerate() {
        check::size(&result.content, &format!("tool_results[{at}].content"), bounds)?;
        if results[..at].iter().any(|before| before.tool_call_id == result.tool_call_id) {
            let message = format!("Two results answer the tool call {}.", crate::error::clip(&result.tool_call_id, 80));
            return Err(ApiError::bad_request("invalid_tool_results", message).param(format!("tool_results[{at}]")));
        }
    }
    Ok(AskInput::ToolResults(results.into_iter().map(|result| (result.tool_call_id, result.content)).collect()))
}
