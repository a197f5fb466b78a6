//! `POST /v1/messages`: Anthropic's Messages API, stateless as its clients expect it, unless they name a session.

mod blocks;
mod error;
mod fold;
mod message;
mod request;

use axum::{Extension, Json, Router, extract::State, response::Response, routing::post};
use serde_json::{Value, json};

pub use self::error::errors;
use self::{
    fold::Fold,
    message::object,
    request::{MessagesRequest, Wanted},
};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    completion::{Kept, SessionHeader},
    error::{ApiError, method_not_allowed},
    idempotency::Key,
    if_busy::WhenBusy,
    openai::model_not_found,
    request_id::RequestId,
};

/// Not in `openapi.json`, as OpenAI's routes are not.
pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/messages", post(create).fallback(method_not_allowed))
        .route("/v1/messages/count_tokens", post(count_tokens).fallback(method_not_allowed))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Extension(request_id): Extension<RequestId>,
    SessionHeader(session): SessionHeader,
    WhenBusy(if_busy): WhenBusy,
    Body { value: request, raw }: Body<MessagesRequest>,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    drop(raw);
    request.require_max_tokens()?;
    let Wanted { completion, model, stream, thinking } = request.wanted(&app.bounds)?;
    let kept = session.map(|session| Kept { session, if_busy, key });
    let begun = completion.begin(&app, &caller.project, kept).await?;
    if stream {
        let fold = Fold::new(&begun.turn, model, thinking, request_id);
        return Ok(begun.stream(&app, fold).await);
    }
    Ok(begun.whole(&app, |ended| object(ended, &model, thinking)).await)
}

/// By our own estimate: what it is by the upstream's, only the upstream knows.
async fn count_tokens(
    State(app): State<App>,
    caller: Caller,
    Body { value: request, .. }: Body<MessagesRequest>,
) -> Result<Json<Value>, ApiError> {
    let Wanted { completion, model, .. } = request.wanted(&app.bounds)?;
    if let Some(config) = completion.config.clone() {
        app.store().config(caller.project, config).await?.ok_or_else(|| model_not_found(&model))?;
    }
    Ok(Json(json!({"input_tokens": request::tokens(&completion)})))
}
