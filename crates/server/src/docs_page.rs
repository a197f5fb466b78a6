//! `GET /docs`: the API's reference, drawn from `/openapi.json` by a small script of our own. Everything comes from
//! this server, and the page's policy allows nothing else.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(|| async { file("text/html; charset=utf-8", include_str!("docs_page/index.html")) }))
        .route(
            "/docs/docs.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("docs_page/docs.js")) }),
        )
        .route("/docs/docs.css", get(|| async { file("text/css; charset=utf-8", include_str!("docs_page/docs.css")) }))
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Small, and a new version of the server must not meet an old script.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}
