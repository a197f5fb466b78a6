//! `GET /sessions/{id}/messages` and `/turns`: a session's content, in order.

use axum::{Json, extract::State};
use serde::Deserialize;
use session::id::{SessionId, TurnId};
use store::Order;
use utoipa::IntoParams;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, ErrorBody},
    page::{PageQuery, page},
    params::{Path, Query},
    refusal::of_turn_in,
    wire::{List, MessageView, TurnView, messages},
};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PathQuery {
    /// 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    after: Option<String>,
    before: Option<String>,
    /// `asc` (the default) or `desc`.
    order: Option<String>,
    /// The path that ends with this turn, instead of the head's.
    #[param(value_type = Option<String>)]
    branch: Option<TurnId>,
}

/// Read a session's messages: the head's path, in order
#[utoipa::path(
    get, path = "/sessions/{id}/messages", operation_id = "list_messages", tag = "Sessions", params(("id" = String, Path), PathQuery),
    responses((status = 200, body = List<MessageView>), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    Query(query): Query<PathQuery>,
) -> Result<Json<List<MessageView>>, ApiError> {
    let page = page(query.limit, query.after, query.before, query.order.as_deref(), Order::Asc)?;
    let path = app.store().path(caller.project, id, query.branch, page).await.map_err(of_turn_in("branch"))?;
    let has_more = path.has_more;
    Ok(Json(List::new(messages(path), has_more, |message| message.id.to_string())))
}

/// List all turns of a session, of every branch, the waiting ones last
#[utoipa::path(
    get, path = "/sessions/{id}/turns", operation_id = "list_turns", tag = "Sessions", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = List<TurnView>), (status = 404, body = ErrorBody))
)]
pub async fn turns(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<TurnView>>, ApiError> {
    let found = app.store().turns(caller.project, id, query.page(Order::Asc)?).await?;
    let turns = found.turns.iter().map(TurnView::from).collect();
    Ok(Json(List::new(turns, found.has_more, |turn| turn.answer.turn_id.to_string())))
}
