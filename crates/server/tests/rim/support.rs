//! A rim around a few handlers, and short ways to ask them something.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use server::metrics::Metrics;
use server::rim::{Rim, rim};
use tower::ServiceExt;

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn error(&self, member: &str) -> String {
        self.json()["error"][member].as_str().unwrap_or_default().to_owned()
    }

    /// Status, code and param: what most tests look at.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, param: &str) {
        let found = (self.status.as_u16(), self.error("code"), self.error("param"));
        assert_eq!(found, (status, code.to_owned(), param.to_owned()), "{}", self.text());
    }
}

pub fn around(router: Router) -> Router {
    rim(router, Rim::default(), metrics())
}

/// Those of a server whose turns and storage have done nothing.
pub fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&scheduler::Stats::default(), &store::Stats::default()))
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
}

pub async fn post_json(router: &Router, body: impl Into<Body>) -> Answer {
    let request = Request::post("/").header("host", "localhost").header("content-type", "application/json");
    send(router, request.body(body.into()).unwrap()).await
}
