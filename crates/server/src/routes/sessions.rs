//! `/sessions`: made, listed, read, changed, deleted, restored, resumed and forked.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use scheduler::Notice;
use serde::Deserialize;
use session::{
    id::{ProjectId, SessionId},
    lane::OnFailure,
    title::AutoTitle,
};
use store::{NewSession, Order, Session, SessionChange, SessionFilter};
use utoipa::IntoParams;

use crate::{
    app::App,
    auth::Caller,
    body::{Body, Nothing, OptionalBody},
    check,
    error::{ApiError, ErrorBody},
    idempotency::Key,
    page::page,
    params::{Path, Query},
    refusal::of_turn_in,
    wire::{
        ActiveTurn, ForkRequest, List, NewSessionRequest, SessionPage, SessionRequest, SessionView, TurnView, messages,
    },
};

const TITLE_CHARS_MAX: usize = 200;
/// Messages that come with `GET /sessions/{id}`, unless it asks for another number.
const NEWEST: u32 = 50;

/// Make a session
#[utoipa::path(
    post, path = "/sessions", operation_id = "create_session", tag = "Sessions", request_body = ref("#/components/schemas/NewSessionRequest"),
    responses(
        (status = 201, body = SessionView),
        (status = 404, description = "No such config", body = ErrorBody),
        (status = 409, description = "The id is taken", body = ErrorBody),
    )
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    OptionalBody { value: request, raw }: OptionalBody<NewSessionRequest>,
) -> Result<Response, ApiError> {
    if let Some(title) = &request.title {
        check::label(title, "title", TITLE_CHARS_MAX)?;
    }
    let metadata = request.metadata.into();
    check::metadata(&metadata, &app.bounds)?;
    let clock = app.clock();
    let new = NewSession {
        id: request.id.unwrap_or_else(|| clock.id()),
        title: request.title,
        auto_title: request.auto_title.unwrap_or(AutoTitle::FirstLine),
        config: request.config_id,
        system: request.system,
        metadata,
        on_failure: request.on_failure.unwrap_or(OnFailure::Continue),
    };
    let project = caller.project.clone();
    let id = app.store().create_session(project.clone(), new, key.of(&caller, &raw), clock.now()).await?;
    app.scheduler.notice(&project, Notice::SessionCreated { session: id.clone() });
    let session = find(&app, &project, &id).await?;
    Ok((StatusCode::CREATED, Json(SessionView::from(session))).into_response())
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    after: Option<String>,
    before: Option<String>,
    /// `desc` (newest activity first, the default) or `asc`.
    order: Option<String>,
    /// Part of the title.
    q: Option<String>,
    archived: Option<bool>,
    pinned: Option<bool>,
}

/// List sessions, newest activity first
#[utoipa::path(get, path = "/sessions", operation_id = "list_sessions", tag = "Sessions", params(ListQuery), responses((status = 200, body = List<SessionView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<SessionView>>, ApiError> {
    let page = page(query.limit, query.after, query.before, query.order.as_deref(), Order::Desc)?;
    let filter = SessionFilter { q: query.q, archived: query.archived, pinned: query.pinned };
    let found = app.store().sessions(caller.project, filter, page).await?;
    let sessions = found.sessions.into_iter().map(SessionView::from).collect();
    Ok(Json(List::new(sessions, found.has_more, |session| session.id.to_string())))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReadQuery {
    /// Messages that come with it: 0 to 100, default 50.
    #[param(maximum = 100)]
    limit: Option<u32>,
}

/// Read a session: its newest messages, what runs, what waits
#[utoipa::path(
    get, path = "/sessions/{id}", operation_id = "read_session", tag = "Sessions", params(("id" = String, Path), ReadQuery),
    responses((status = 200, body = SessionPage), (status = 404, body = ErrorBody))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    Query(query): Query<ReadQuery>,
) -> Result<Json<SessionPage>, ApiError> {
    let limit = query.limit.unwrap_or(NEWEST);
    // One at least, which tells whether there are any.
    let newest = page(Some(limit.max(1)), None, None, None, Order::Desc)?;
    let project = &caller.project;
    let before = find(&app, project, &id).await?;
    // The cursor is taken first: what changes while the rest is read is told again, and telling it twice is harmless.
    let active = match &before.running {
        Some(turn) => app.scheduler.active(project, turn).await?.zip(Some(turn.clone())),
        None => None,
    };
    let cursor = match &active {
        Some((active, _)) => active.cursor.clone(),
        None => app.scheduler.feed().cursor(project),
    };
    let mut path = app.store().path(project.clone(), id.clone(), None, newest).await?;
    path.messages.reverse();
    let queue = app.store().queue(project.clone(), id.clone()).await?;
    let session = find(&app, project, &id).await?;
    let active_turn =
        active.filter(|(_, turn)| session.running.as_ref() == Some(turn)).map(|(active, turn)| ActiveTurn {
            text: active.said.text,
            reasoning: active.said.reasoning,
            refusal: active.said.refusal,
            tool_calls: active.said.tool_calls,
            last_event_id: active.last.to_string(),
            started_at: path.turns.get(&turn).and_then(|turn| turn.started_at),
            turn_id: turn,
        });
    let has_more = path.has_more || limit == 0 && !path.messages.is_empty();
    let messages = if limit == 0 { Vec::new() } else { messages(path) };
    Ok(Json(SessionPage {
        session: session.into(),
        has_more,
        next: messages.first().filter(|_| has_more).map(|oldest| oldest.id.to_string()),
        messages,
        active_turn,
        queue: queue.iter().map(TurnView::from).collect(),
        cursor,
    }))
}

/// Change a session
#[utoipa::path(
    patch, path = "/sessions/{id}", operation_id = "change_session", tag = "Sessions", params(("id" = String, Path)), request_body = SessionRequest,
    responses((status = 200, body = SessionView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    Body { value: request, .. }: Body<SessionRequest>,
) -> Result<Json<SessionView>, ApiError> {
    if let Some(Some(title)) = &request.title {
        check::label(title, "title", TITLE_CHARS_MAX)?;
    }
    let metadata = request.metadata.map(serde_json::Value::from);
    if let Some(metadata) = &metadata {
        check::metadata(metadata, &app.bounds)?;
    }
    let change = SessionChange {
        title: request.title,
        auto_title: request.auto_title,
        config: request.config_id,
        pinned: request.pinned,
        archived: request.archived,
        metadata,
        head: request.head,
        on_failure: request.on_failure,
    };
    let session = app.scheduler.change_session(caller.project, id, change).await.map_err(of_turn_in("head"))?;
    Ok(Json(session.into()))
}

/// Delete a session; it can be restored for 30 days
#[utoipa::path(
    delete, path = "/sessions/{id}", operation_id = "delete_session", tag = "Sessions", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted; what ran in it was cancelled"), (status = 404, body = ErrorBody))
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<SessionId>) -> Result<StatusCode, ApiError> {
    app.scheduler.delete_session(caller.project, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a deleted session
#[utoipa::path(
    post, path = "/sessions/{id}/restore", operation_id = "restore_session", tag = "Sessions", params(("id" = String, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = ErrorBody))
)]
pub async fn restore(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    _: OptionalBody<Nothing>,
) -> Result<Json<SessionView>, ApiError> {
    let session = app.store().restore_session(caller.project.clone(), id.clone()).await?;
    app.scheduler.notice(&caller.project, Notice::SessionCreated { session: id });
    Ok(Json(session.into()))
}

/// Let a paused queue go on
#[utoipa::path(
    post, path = "/sessions/{id}/resume", operation_id = "resume_session", tag = "Sessions", params(("id" = String, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = ErrorBody))
)]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    _: OptionalBody<Nothing>,
) -> Result<Json<SessionView>, ApiError> {
    app.scheduler.resume(caller.project.clone(), id.clone()).await?;
    Ok(Json(find(&app, &caller.project, &id).await?.into()))
}

/// Make a new session that begins with a path of this one
#[utoipa::path(
    post, path = "/sessions/{id}/fork", operation_id = "fork_session", tag = "Sessions", params(("id" = String, Path)), request_body = ForkRequest,
    responses((status = 201, body = SessionView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn fork(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Path(id): Path<SessionId>,
    Body { value: request, raw }: Body<ForkRequest>,
) -> Result<Response, ApiError> {
    let (clock, project) = (app.clock(), caller.project.clone());
    let key = key.of(&caller, &raw);
    let forked = app.store().fork(project.clone(), id, request.turn_id, clock.id(), key, clock.now()).await;
    let new = forked.map_err(of_turn_in("turn_id"))?;
    app.scheduler.notice(&project, Notice::SessionCreated { session: new.clone() });
    let session = find(&app, &project, &new).await?;
    Ok((StatusCode::CREATED, Json(SessionView::from(session))).into_response())
}

pub(super) async fn find(app: &App, project: &ProjectId, id: &SessionId) -> Result<Session, ApiError> {
    let found = app.store().session(project.clone(), id.clone()).await?;
    found.ok_or_else(|| store::Error::SessionNotFound.into())
}
