//! Errors in Anthropic's words: <https://docs.anthropic.com/en/api/errors>.

use axum::{
    Json,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, StatusCode, header::CONTENT_LENGTH};
use serde_json::{Value, json};

use crate::{error::ErrorDetail, request_id::RequestId};

/// Where Anthropic's clients look for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Stands around the routes: whatever refuses a request there, its answer has Anthropic's form.
pub async fn errors(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = reworded(next.run(request).await, id.as_ref());
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id.header());
    }
    response
}

fn reworded(response: Response, id: Option<&RequestId>) -> Response {
    let (mut head, body) = response.into_parts();
    let Some(detail) = head.extensions.remove::<ErrorDetail>() else { return Response::from_parts(head, body) };
    let told = told(head.status, &detail, id);
    // Their clients know it as the status of a server that has too much to do.
    if head.status == StatusCode::SERVICE_UNAVAILABLE {
        head.status = StatusCode::from_u16(529).unwrap_or(head.status);
    }
    head.headers.remove(CONTENT_LENGTH);
    let body = Json(told).into_response().into_body();
    Response::from_parts(head, body)
}

/// `code` and `param` are ours, for programs that want to know more than the type says.
pub fn told(status: StatusCode, detail: &ErrorDetail, id: Option<&RequestId>) -> Value {
    let error = json!({"type": kind(status), "message": detail.message, "code": detail.code, "param": detail.param});
    json!({"type": "error", "error": error, "request_id": id.map(RequestId::as_str)})
}

fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_a_type() {
        let table = [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (405, "invalid_request_error"),
            (413, "request_too_large"),
            (415, "invalid_request_error"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (502, "api_error"),
            (503, "overloaded_error"),
            (504, "timeout_error"),
            (507, "api_error"),
        ];
        for (status, expected) in table {
            assert_eq!(kind(StatusCode::from_u16(status).unwrap()), expected, "{status}");
        }
    }
}
