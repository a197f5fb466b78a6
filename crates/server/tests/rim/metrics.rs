use axum::Router;
use axum::body::Body;
use axum::routing::get as route_get;
use futures_util::FutureExt;
use http::Request;
use http_body_util::BodyExt;
use server::metrics::Metrics;
use server::rim::{Rim, rim};
use tower::ServiceExt;

use crate::support::{get, metrics, send};

#[tokio::test]
async fn requests_are_counted_by_route_method_and_class() {
    let metrics = metrics();
    let router = Router::new()
        .route("/sessions/{id}", route_get(|| async {}))
        .route("/never", route_get(std::future::pending::<()>));
    let router = rim(router, Rim::default(), metrics.clone());
    get(&router, "/sessions/a").await;
    get(&router, "/sessions/b").await;
    get(&router, "/wp-login.php").await;
    let odd = Request::builder().method("SPAM").uri("/sessions/a").header("host", "localhost");
    send(&router, odd.body(Body::empty()).unwrap()).await;
    let left = Request::get("/never").header("host", "localhost").body(Body::empty()).unwrap();
    assert!(router.oneshot(left).now_or_never().is_none());

    let text = text(&metrics).await;
    for line in [
        r#"turnwise_http_requests_total{route="/sessions/{id}",method="GET",status="2xx"} 2"#,
        r#"turnwise_http_requests_total{route="none",method="GET",status="4xx"} 1"#,
        r#"turnwise_http_requests_total{route="/sessions/{id}",method="other",status="4xx"} 1"#,
        r#"turnwise_http_requests_total{route="/never",method="GET",status="gone"} 1"#,
        r#"turnwise_http_request_duration_seconds_count{route="/sessions/{id}",method="GET"} 2"#,
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
    assert!(!text.contains("wp-login") && !text.contains("SPAM"));
}

#[tokio::test]
async fn everything_has_its_name() {
    let text = text(&metrics()).await;
    for name in [
        "turnwise_turns_live 0",
        "turnwise_turn_duration_seconds_count 0",
        "turnwise_first_token_seconds_count 0",
        "turnwise_store_commits_total 0",
        "turnwise_store_verbs_total 0",
        "turnwise_http_connections_open 0",
        "turnwise_http_streams_open 0",
    ] {
        assert!(text.contains(name), "{name} in:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

async fn text(metrics: &Metrics) -> String {
    let response = metrics.answer();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
