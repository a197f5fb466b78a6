//! `POST /v1/chat/completions`: stateless, as its clients expect it, unless they name a session.

mod fold;
mod messages;
mod object;
mod request;

use axum::{extract::State, response::Response};
use serde_json::{Map, Value};

use self::{
    fold::Fold,
    object::completion,
    request::{ChatRequest, Wanted},
};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    completion::{Kept, SessionHeader},
    error::ApiError,
    idempotency::Key,
    if_busy::WhenBusy,
};

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    SessionHeader(header): SessionHeader,
    WhenBusy(if_busy): WhenBusy,
    Body { value: fields, raw }: Body<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    drop(raw);
    let Wanted { completion: asked, model, session, stream, include_usage } =
        ChatRequest(fields).wanted(header, &app.bounds)?;
    let kept = session.map(|session| Kept { session, if_busy, key });
    let begun = asked.begin(&app, &caller.project, kept).await?;
    if stream {
        let fold = Fold::new(&begun.turn, model, include_usage);
        return Ok(begun.stream(&app, fold).await);
    }
    Ok(begun.whole(&app, |ended| completion(ended, model)).await)
}
