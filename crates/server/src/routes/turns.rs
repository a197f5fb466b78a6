//! `/turns`: read, watched, cancelled, tried again, continued, changed while they wait.

use axum::{Json, extract::State, response::Response};
use http::HeaderMap;
use scheduler::{Ask, AskInput};
use serde::Deserialize;
use session::{
    event::EventId,
    history,
    id::{ProjectId, TurnId},
    lane::IfBusy,
    turn::Options,
};
use sha2::{Digest, Sha256};
use store::{Parent, SessionRef, Turn};
use utoipa::IntoParams;

use crate::{
    answer::{Wants, answer, frames},
    app::App,
    auth::Caller,
    body::{Body, Nothing, OptionalBody},
    check,
    error::{ApiError, ErrorBody},
    idempotency::Key,
    params::{Path, Query},
    sse,
    wire::{Answer, EditRequest, PromptView, RerunRequest, TurnView},
};

/// Read a turn
#[utoipa::path(
    get, path = "/turns/{id}", operation_id = "read_turn", tag = "Turns", params(("id" = String, Path)),
    responses((status = 200, body = TurnView), (status = 404, body = ErrorBody))
)]
pub async fn read(State(app): State<App>, caller: Caller, Path(id): Path<TurnId>) -> Result<Json<TurnView>, ApiError> {
    Ok(Json(TurnView::from(&find(&app, &caller.project, &id).await?)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The last event that the client has, as `<epoch>.<seq>`; the header `Last-Event-ID` stands above it.
    after: Option<String>,
}

/// Watch a turn, from its start or behind an event; while it runs or after it ended
#[utoipa::path(
    get, path = "/turns/{id}/events", operation_id = "watch_turn", tag = "Turns", params(("id" = String, Path), EventsQuery),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream"), (status = 404, body = ErrorBody))
)]
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TurnId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let after = sse::after(&headers, query.after.as_deref())?;
    let after = after.map_or(EventId::START, |cursor| EventId::new(cursor.epoch, cursor.seq));
    let turn = find(&app, &caller.project, &id).await?;
    let watch = app.scheduler.watch(caller.project, id.clone(), after);
    Ok(app.streams.answer(frames(watch, turn.session, id, None)))
}

/// Cancel a turn; one that waits is never run. What was said so far is kept
#[utoipa::path(
    post, path = "/turns/{id}/cancel", operation_id = "cancel_turn", tag = "Turns", params(("id" = String, Path)),
    responses((status = 200, body = TurnView), (status = 404, body = ErrorBody))
)]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TurnId>,
    _: OptionalBody<Nothing>,
) -> Result<Json<TurnView>, ApiError> {
    find(&app, &caller.project, &id).await?;
    let ended = app.scheduler.cancel(caller.project, id).await?;
    Ok(Json(TurnView::from(&*ended)))
}

/// Try a turn again: a new turn with the same input and parent
#[utoipa::path(
    post, path = "/turns/{id}/retry", operation_id = "retry_turn", tag = "Turns", params(("id" = String, Path)), request_body = ref("#/components/schemas/RerunRequest"),
    responses((status = 200, body = Answer), (status = 202, body = TurnView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn retry(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Path(id): Path<TurnId>,
    headers: HeaderMap,
    body: OptionalBody<RerunRequest>,
) -> Result<Response, ApiError> {
    rerun(app, caller, key, id, headers, body, AskInput::Retry).await
}

/// Continue an answer that broke off
#[utoipa::path(
    post, path = "/turns/{id}/continue", operation_id = "continue_turn", tag = "Turns", params(("id" = String, Path)), request_body = ref("#/components/schemas/RerunRequest"),
    responses((status = 200, body = Answer), (status = 202, body = TurnView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn go_on(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Path(id): Path<TurnId>,
    headers: HeaderMap,
    body: OptionalBody<RerunRequest>,
) -> Result<Response, ApiError> {
    rerun(app, caller, key, id, headers, body, AskInput::Continue).await
}

async fn rerun(
    app: App,
    caller: Caller,
    key: Key,
    id: TurnId,
    headers: HeaderMap,
    OptionalBody { value: request, raw }: OptionalBody<RerunRequest>,
    input: fn(TurnId) -> AskInput,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    let before = find(&app, &caller.project, &id).await?;
    let wants = Wants::new(&headers, request.stream, request.wait, request.on_disconnect);
    let options = Options { model: request.model, ..before.options };
    check::options(&options)?;
    let ask = Ask {
        project: caller.project.clone(),
        session: Some(SessionRef::Existing(before.session)),
        input: input(id),
        parent: Parent::Head,
        options,
        metadata: before.metadata,
        request: before.request,
        config: request.config_id.or(before.config),
        if_busy: request.if_busy.unwrap_or(IfBusy::Queue),
        free: false,
        key,
    };
    let accepted = app.scheduler.admit(ask).await?;
    answer(&app, &caller, accepted, wants).await
}

/// Change a turn that waits: its message or its place in the queue
#[utoipa::path(
    patch, path = "/turns/{id}", operation_id = "edit_turn", tag = "Turns", params(("id" = String, Path)), request_body = EditRequest,
    responses((status = 200, body = TurnView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TurnId>,
    Body { value: request, .. }: Body<EditRequest>,
) -> Result<Json<TurnView>, ApiError> {
    if let Some(message) = &request.message {
        check::content(message, "message", &app.bounds)?;
    }
    find(&app, &caller.project, &id).await?;
    let edited = app.scheduler.edit(caller.project, id, request.message, request.position).await?;
    Ok(Json(TurnView::from(&edited)))
}

/// See exactly what was sent upstream with a turn
#[utoipa::path(
    get, path = "/turns/{id}/prompt", operation_id = "read_prompt", tag = "Turns", params(("id" = String, Path)),
    responses((status = 200, body = PromptView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn prompt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TurnId>,
) -> Result<Json<PromptView>, ApiError> {
    let turn = find(&app, &caller.project, &id).await?;
    let sent = app.store().prompt(caller.project, id.clone()).await?.ok_or_else(|| {
        let message = format!("Turn {id} is {}: nothing has been sent for it.", turn.status.as_str());
        ApiError::conflict("turn_not_started", message)
    })?;
    let config = &sent.config.config;
    let target = provider::Target::new(&config.provider, config.base_url.as_deref());
    let prompt = history::assemble(config, sent.session_system.as_deref(), &sent.options, sent.past, sent.input);
    let body =
        app.scheduler.providers().body(&target, &prompt).map_err(|failure| ApiError::internal(failure.message))?;
    let hash: [u8; 32] = Sha256::digest(&body).into();
    let hex = |hash: [u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(Json(PromptView {
        turn_id: id,
        config_id: sent.config.id,
        config_revision: sent.config.revision,
        from: sent.from,
        assembler: sent.assembler,
        body: serde_json::from_slice(&body).map_err(|error| ApiError::internal(error.to_string()))?,
        sha256: sent.hash.map(hex),
        exact: sent.hash.map(|sent| sent == hash),
    }))
}

async fn find(app: &App, project: &ProjectId, id: &TurnId) -> Result<Turn, ApiError> {
    let found = app.store().turn(project.clone(), id.clone()).await?;
    found.ok_or_else(|| store::Error::TurnNotFound.into())
}
