//! The id every answer carries, and the one log line every request leaves.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Instant;
use uuid::Uuid;

use crate::metrics::{Metrics, RequestLabels, Route, RouteLabels, method_name, status_class};

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// In the request's extensions; at most 64 characters of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own if it is well formed, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID) {
            Some(theirs) if well_formed(theirs.as_bytes()) => Self(theirs.clone()),
            _ => Self::new(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the rim, and the id decides nothing")]
    fn new() -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none")))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("none")
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn well_formed(id: &[u8]) -> bool {
    (1..=64).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Counts and logs one request when it is dropped, so that a client who leaves before the answer is seen too.
pub struct Seen {
    metrics: Arc<Metrics>,
    route: Route,
    method: &'static str,
    start: Instant,
    status: Option<StatusCode>,
}

impl Seen {
    pub fn new(metrics: Arc<Metrics>, method: &Method, route: Route) -> Self {
        Self { metrics, route, method: method_name(method), start: Instant::now(), status: None }
    }

    /// Method, route as declared, and id: never the query or the path itself, which may hold what people typed.
    pub fn span(&self, id: &RequestId) -> tracing::Span {
        tracing::info_span!("request", method = self.method, route = self.route.as_str(), request_id = id.as_str())
    }

    pub fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let taken = self.start.elapsed();
        // 499 is what proxies write for a client that left.
        let status = self.status.map_or(499, |status| status.as_u16());
        tracing::info!(status, latency_ms = taken.as_secs_f64() * 1e3, "request");

        let route = RouteLabels { route: self.route.clone(), method: self.method };
        self.metrics.request_seconds.get_or_create(&route).observe(taken.as_secs_f64());
        let RouteLabels { route, method } = route;
        let status = self.status.map_or("gone", status_class);
        self.metrics.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }
}
