//! Answers that are none: statuses, and connections that do not come to be.

use session::turn::{Failure, FailureCode};
use tokio::net::TcpListener;
use upstream::{Script, Step};

use crate::helpers::*;

async fn refused(script: Script) -> Failure {
    let failure = answered(script).await.failed();
    assert!(!failure.message.contains("sk-secret"), "{}", failure.message);
    failure
}

#[tokio::test]
async fn a_refused_key() {
    let script = Script::error(401, "invalid_api_key", "Incorrect API key provided: sk-secret-key. You can find…");
    let failure = refused(script).await;
    assert_eq!(failure.code, FailureCode::UpstreamKeyRejected);
    assert_eq!(failure.upstream_status, Some(401));
    assert!(failure.message.contains("Set another api_key for this config."), "{}", failure.message);
    assert!(failure.message.contains("It said: Incorrect API key provided: [api_key]."), "{}", failure.message);
}

#[tokio::test]
async fn an_unknown_model_and_an_unknown_path() {
    let model = refused(Script::error(404, "model_not_found", "The model `x` does not exist")).await;
    assert_eq!(model.code, FailureCode::UpstreamModelNotFound);
    assert!(model.message.contains("model-small"), "{}", model.message);
    for script in [Script::status(404), Script::status(404).body("text/html", "<html>404</html>")] {
        let path = refused(script).await;
        assert_eq!(path.code, FailureCode::UpstreamRejected);
        assert!(path.message.contains("/v1/chat/completions does not exist (404)"), "{}", path.message);
    }
}

#[tokio::test]
async fn a_failure_carries_the_upstreams_name_for_the_request() {
    let cut = Script::deltas(["Hel", "lo"]).at(1, Step::Close);
    for script in [Script::status(500), Script::status(302), Script::status(200).body("text/html", "<html>"), cut] {
        let failure = refused(script.header("x-request-id", "req_1")).await;
        assert_eq!(failure.upstream_request_id.as_deref(), Some("req_1"), "{failure:?}");
    }
    assert_eq!(refused(Script::status(500)).await.upstream_request_id, None);
}

#[tokio::test]
async fn too_many_requests() {
    let limited = || Script::error(429, "rate_limit_exceeded", "slow down");
    for (script, retry_after_ms) in [
        (limited().header("retry-after", "2"), Some(2000)),
        (limited().header("retry-after-ms", "250"), Some(250)),
        (
            limited()
                .header("retry-after", "Sun, 06 Nov 1994 08:49:42 GMT")
                .header("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(5000),
        ),
        (limited().header("retry-after", "1000000000"), Some(3_600_000)),
        (limited().header("retry-after", "-3"), None),
        (limited(), None),
    ] {
        let failure = refused(script).await;
        assert_eq!(failure.code, FailureCode::UpstreamRateLimited);
        assert_eq!(failure.retry_after_ms, retry_after_ms);
    }
}

#[tokio::test]
async fn no_balance_is_not_passing_whatever_the_status() {
    for script in [
        Script::error(429, "insufficient_quota", "You exceeded your current quota").header("retry-after", "1"),
        Script::error(402, "invalid_request_error", "Insufficient Balance"),
        Script::status(402),
    ] {
        let failure = refused(script).await;
        assert_eq!(failure.code, FailureCode::UpstreamRejected);
        assert_eq!(failure.retry_after_ms, None);
        assert!(!failure.code.is_passing());
    }
}

#[tokio::test]
async fn a_history_that_is_too_long_and_content_that_is_filtered() {
    let long = Script::error(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens.");
    assert_eq!(refused(long).await.code, FailureCode::ContextTooLong);
    let filtered = Script::error(400, "content_filter", "The response was filtered");
    assert_eq!(refused(filtered).await.code, FailureCode::ContentFilter);
    let other = Script::error(422, "invalid_request_error", "temperature must be at most 2");
    let failure = refused(other).await;
    assert_eq!(failure.code, FailureCode::UpstreamRejected);
    assert!(failure.message.ends_with("It said: temperature must be at most 2"), "{}", failure.message);
}

#[tokio::test]
async fn faults_of_the_upstream_pass() {
    for (script, code) in [
        (Script::error(500, "server_error", "oops"), FailureCode::UpstreamError),
        (Script::status(502).body("text/html", "<html><h1>502 Bad Gateway</h1></html>"), FailureCode::UpstreamError),
        (Script::status(503), FailureCode::UpstreamError),
        (Script::status(504), FailureCode::UpstreamTimeout),
        (Script::status(529), FailureCode::UpstreamError),
    ] {
        let failure = refused(script).await;
        assert_eq!(failure.code, code);
        assert!(failure.code.is_passing());
        assert!(!failure.message.contains("html"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_error_that_never_ends_is_read_so_far() {
    let long = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(10_000));
    let failure = refused(Script::status(400).body("application/json", long)).await;
    assert!(failure.message.chars().count() < 600);
    let endless = Script::raw()
        .then(Step::raw("HTTP/1.1 400 Bad Request\r\ncontent-length: 1000000000\r\n\r\n"))
        .then(Step::Repeat(vec![b'x'; 4096].into(), u64::MAX));
    assert_eq!(refused(endless).await.code, FailureCode::UpstreamRejected);
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = ask(&providers(), &target(&format!("http://{free}/v1"))).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamUnreachable);
    assert_eq!(failure.message, format!("No connection to the upstream {free}: connection refused. Is it running?"));
}

#[tokio::test]
async fn a_name_that_is_none() {
    let failure = ask(&providers(), &target("http://no-such-host.invalid/v1")).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamUnreachable);
    assert!(failure.message.contains("no-such-host.invalid: its name was not found"), "{}", failure.message);
}

#[tokio::test]
async fn closed_or_reset_before_an_answer() {
    for ending in [Step::Close, Step::Reset] {
        let failure = refused(Script::raw().then(ending)).await;
        assert_eq!(failure.code, FailureCode::UpstreamUnreachable);
    }
}
