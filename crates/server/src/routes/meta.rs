//! What tells about the server itself.

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    error::{ApiError, ErrorBody},
};

#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
    pub version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process is alive
#[utoipa::path(get, path = "/health", tag = "Server", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(OK)
}

/// Whether storage can be read and accepts writes
#[utoipa::path(
    get, path = "/ready", tag = "Server",
    responses((status = 200, body = Health), (status = 503, body = ErrorBody))
)]
pub async fn ready(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    app.store().ready().await?;
    Ok(Json(OK))
}

/// Numbers, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "Server", responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text")))]
pub async fn metrics(State(app): State<App>) -> Response {
    app.scheduler.stats();
    app.metrics.answer()
}
