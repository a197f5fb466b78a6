//! `GET /search`: what was said, and the sessions whose title fits.

use axum::{Json, extract::State};
use serde::Deserialize;
use store::{Hit, Order};
use utoipa::IntoParams;

use crate::{
    app::App,
    auth::Caller,
    check,
    error::{ApiError, ErrorBody},
    page::page,
    params::Query,
    wire::{HitView, List},
};

const Q_CHARS_MAX: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// 1 to 200 characters. All of its words have to be there; of the last one its first three letters are enough.
    q: String,
    /// 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Search messages and titles, the best hits first
#[utoipa::path(
    get, path = "/search", operation_id = "search", tag = "Sessions", params(SearchQuery),
    responses((status = 200, body = List<HitView>), (status = 400, body = ErrorBody))
)]
pub async fn search(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<List<HitView>>, ApiError> {
    check::label(&query.q, "q", Q_CHARS_MAX)?;
    let page = page(query.limit, query.after, None, None, Order::Desc)?;
    let found = app.store().search(caller.project, query.q, page, app.clock().now()).await?;
    let next = found.hits.last().filter(|_| found.has_more).map(Hit::cursor);
    let data = found.hits.into_iter().map(HitView::from).collect();
    Ok(Json(List { data, has_more: found.has_more, next }))
}
