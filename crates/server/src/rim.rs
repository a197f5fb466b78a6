//! Puts everything that surrounds the handlers around a router.
//!
//! One middleware instead of six: each axum layer costs boxes and clones per request, and here the order is read from
//! top to bottom: id and span → hosts and origins → the handler, with panics caught → headers → log line and metrics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::body::Limits;
use crate::error::{ApiError, method_not_allowed, route_not_found};
use crate::guard::{Guard, Pass, preflight};
use crate::metrics::{Metrics, Route};
use crate::request_id::{RequestId, Seen, X_REQUEST_ID};

#[derive(Clone, Debug, Default)]
pub struct Rim {
    pub guard: Guard,
    pub limits: Limits,
}

struct Around {
    rim: Rim,
    metrics: Arc<Metrics>,
}

/// Comes last: routes added afterwards would stand outside. The fallbacks for unknown routes and methods are set here.
pub fn rim(router: Router, rim: Rim, metrics: Arc<Metrics>) -> Router {
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found)
        .layer(from_fn_with_state(Arc::new(Around { rim, metrics }), around))
}

async fn around(State(around): State<Arc<Around>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let seen = Seen::new(around.metrics.clone(), request.method(), Route::of(request.extensions()));
    let span = seen.span(&id);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(around.rim.limits);

    async move {
        let mut response = guarded(&around.rim.guard, request, next).await;
        response.headers_mut().insert(X_REQUEST_ID, id.header());
        seen.answered(response.status());
        response
    }
    .instrument(span)
    .await
}

async fn guarded(guard: &Guard, request: Request, next: Next) -> Response {
    let (mut response, origin) = match guard.admit(&request) {
        Err(refused) => (refused.into_response(), None),
        Ok(Pass::Plain) => (caught(next.run(request)).await, None),
        Ok(Pass::Cross(origin)) => (caught(next.run(request)).await, Some(origin)),
        Ok(Pass::Preflight(origin)) => (preflight(request.headers()), Some(origin)),
    };
    guard.finish(origin, response.headers_mut());
    response
}

/// A handler's panic ends its request, not the connection with the requests behind it.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => ApiError::internal(format!("panic in a handler: {}", panic_text(&*panic))).into_response(),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
