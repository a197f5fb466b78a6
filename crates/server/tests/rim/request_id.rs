use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::routing::{get as route_get, post};
use futures_util::FutureExt;
use http::Request;
use serde_json::Value;
use server::error::ApiError;
use server::request_id::RequestId;
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

use crate::support::{around, send};

#[tokio::test]
async fn every_answer_names_its_request() {
    let first = id_for(None).await;
    assert_eq!(Uuid::parse_str(&first).unwrap().get_version_num(), 7);
    assert_ne!(first, id_for(None).await);
}

#[tokio::test]
async fn a_clients_own_id_is_kept_if_it_is_well_formed() {
    let longest = "a".repeat(64);
    for id in ["a", "Abc_1-2", &longest] {
        assert_eq!(id_for(Some(id)).await, id);
    }
    let too_long = "a".repeat(65);
    for id in ["", "a b", "a.b", "é", "a\tb", "<script>", &too_long] {
        assert_ne!(id_for(Some(id)).await, id);
    }
}

#[tokio::test]
async fn one_line_is_logged_for_a_request_and_it_holds_no_content() {
    let log = Log::default();
    let _guard = log.watch();
    let router = router();
    let request = Request::get("/sessions/private-id?q=private-query").header("host", "localhost");
    send(&router, request.header("x-request-id", "r1").body(Body::empty()).unwrap()).await;

    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (line, span) = (&lines[0], &lines[0]["span"]);
    assert_eq!((&line["level"], &line["fields"]["status"]), (&"INFO".into(), &200.into()));
    assert!(line["fields"]["latency_ms"].as_f64().is_some());
    assert_eq!(
        (&span["method"], &span["route"], &span["request_id"]),
        (&"GET".into(), &"/sessions/{id}".into(), &"r1".into())
    );
    assert!(!log.text().contains("private"));
}

#[tokio::test]
async fn a_made_up_method_and_path_stay_out_of_the_log() {
    let log = Log::default();
    let _guard = log.watch();
    let request = Request::builder().method("PRIVATE").uri("/private").header("host", "localhost");
    send(&router(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (&log.lines()[0]["span"]["method"], &log.lines()[0]["span"]["route"]),
        (&"other".into(), &"none".into())
    );
    assert!(!log.text().to_lowercase().contains("private"));
}

#[tokio::test]
async fn a_server_error_is_logged_once_with_its_cause() {
    let log = Log::default();
    let _guard = log.watch();
    let request = Request::get("/broken").header("host", "localhost").body(Body::empty()).unwrap();
    send(&router(), request).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["level"], &lines[0]["fields"]["cause"]), (&"ERROR".into(), &"disk on fire".into()));
    assert_eq!(lines[0]["span"]["request_id"], lines[1]["span"]["request_id"]);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_logged_too() {
    let log = Log::default();
    let _guard = log.watch();
    let request = Request::post("/never").header("host", "localhost").body(Body::empty()).unwrap();
    assert!(router().oneshot(request).now_or_never().is_none());
    assert_eq!(log.lines()[0]["fields"]["status"], 499);
    assert_eq!(log.lines()[0]["span"]["route"], "/never");
}

async fn id_for(theirs: Option<&str>) -> String {
    let mut request = Request::get("/id").header("host", "localhost");
    if let Some(theirs) = theirs {
        request = request.header("x-request-id", theirs);
    }
    let answer = send(&router(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.text(), answer.header("x-request-id"), "the handler saw another id");
    answer.text()
}

fn router() -> Router {
    let router = Router::new()
        .route("/id", route_get(|Extension(id): Extension<RequestId>| async move { id.to_string() }))
        .route("/sessions/{id}", route_get(|| async {}))
        .route("/broken", route_get(|| async { ApiError::internal("disk on fire") }))
        .route("/never", post(std::future::pending::<()>));
    around(router)
}

/// What was logged at info and above, on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn watch(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(self.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
