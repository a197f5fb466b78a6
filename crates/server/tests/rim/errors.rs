use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get as route_get;
use serde_json::json;
use server::error::{ApiError, ErrorBody};
use utoipa::PartialSchema;

use crate::support::{around, get, send};

#[tokio::test]
async fn an_unknown_route_is_a_404_in_the_envelope() {
    let answer = get(&around(Router::new()), "/nowhere?secret=1").await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!({"error": {
            "type": "not_found_error",
            "code": "route_not_found",
            "message": "There is no GET /nowhere. GET /docs lists what there is.",
            "param": null,
        }})
    );
}

#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_a_405_that_names_those_it_does() {
    let router = around(Router::new().route("/here", route_get(|| async { "here" })));
    let request = http::Request::delete("/here").header("host", "localhost").body(axum::body::Body::empty()).unwrap();
    let answer = send(&router, request).await;
    answer.refused(405, "method_not_allowed", "");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    assert_eq!(answer.error("type"), "invalid_request_error");
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_of_it() {
    async fn broken() -> &'static str {
        panic!("the secret is 42")
    }
    let answer = get(&around(Router::new().route("/", route_get(broken))), "/").await;
    answer.refused(500, "internal_error", "");
    assert_eq!(answer.error("type"), "server_error");
    assert!(!answer.text().contains("42"));
    assert_ne!(answer.header("x-request-id"), "");
}

#[tokio::test]
async fn what_is_for_the_log_stays_out_of_the_answer() {
    async fn failing() -> ApiError {
        ApiError::internal("disk /dev/sda1 is on fire")
    }
    let answer = get(&around(Router::new().route("/", route_get(failing))), "/").await;
    assert!(!answer.text().contains("fire"));
}

#[tokio::test]
async fn a_failed_turn_carries_its_own_fields_beside_the_error() {
    async fn failing() -> ApiError {
        let fields = json!({"session_id": "s", "turn_id": "t", "status": "failed", "error": null});
        ApiError::upstream(http::StatusCode::BAD_GATEWAY, "upstream_unreachable", "no answer")
            .turn_id("t")
            .retry_after(Duration::from_millis(1200))
            .fields(fields.as_object().unwrap().clone())
    }
    let answer = get(&around(Router::new().route("/", route_get(failing))), "/").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (502, "2"));
    assert_eq!(
        answer.json(),
        json!({
            "error": {"type": "upstream_error", "code": "upstream_unreachable", "message": "no answer", "param": null, "turn_id": "t"},
            "session_id": "s", "turn_id": "t", "status": "failed",
        })
    );
}

#[test]
fn each_constructor_has_its_status_and_type() {
    let cases = [
        (ApiError::bad_request("c", "m"), 400, "invalid_request_error"),
        (ApiError::unauthorized("c", "m"), 401, "authentication_error"),
        (ApiError::forbidden("c", "m"), 403, "permission_error"),
        (ApiError::not_found("c", "m"), 404, "not_found_error"),
        (ApiError::timeout("c", "m"), 408, "invalid_request_error"),
        (ApiError::conflict("c", "m"), 409, "conflict_error"),
        (ApiError::payload_too_large("c", "m"), 413, "invalid_request_error"),
        (ApiError::unsupported_media_type("m"), 415, "invalid_request_error"),
        (ApiError::unprocessable("c", "m"), 422, "invalid_request_error"),
        (ApiError::too_many("c", "m"), 429, "rate_limit_error"),
        (ApiError::internal("m"), 500, "server_error"),
        (ApiError::unavailable("c", "m"), 503, "server_error"),
        (ApiError::insufficient_storage("c", "m"), 507, "server_error"),
    ];
    for (error, status, kind) in cases {
        assert_eq!(serde_json::to_value(error.detail()).unwrap()["type"], kind);
        let response = error.into_response();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
    }
}

#[test]
fn the_envelope_has_a_schema() {
    let schema = serde_json::to_value(ErrorBody::schema()).unwrap();
    assert_eq!(schema["required"], json!(["error"]));
}
