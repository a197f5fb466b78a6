//! The one error that clients see, on every surface.
//!
//! Goals: one envelope, `{"error": {"type", "code", "message", "param", "turn_id"?, …}}`; only this file knows statuses;
//! what a client reads and what the log gets are kept apart; a failure is logged once, here, when it becomes an answer.
//! A message says what failed, for what, and what to do.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use session::turn::Failure;
use utoipa::ToSchema;

/// A request that cannot be answered as it was meant. Boxed, so that a `Result` with it stays small.
#[derive(Debug, thiserror::Error)]
#[error("{} {}: {}", .0.status.as_u16(), .0.error.code, .0.error.message)]
pub struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    error: ErrorDetail,
    log: Option<String>,
    retry_after: Option<Duration>,
    not_again: bool,
    fields: Map<String, Value>,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// What exactly went wrong, for programs: `session_not_found`, `unknown_field`, …
    pub code: &'static str,
    /// What exactly went wrong, for people, and what to do about it.
    pub message: Cow<'static, str>,
    /// The field, parameter or header at fault.
    pub param: Option<String>,
    /// The turn in question, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    /// Of a turn that failed: the upstream's HTTP status, when it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// How long the upstream asked us to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the upstream calls this request, when it said so: its support will ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    InvalidRequestError,
    AuthenticationError,
    PermissionError,
    NotFoundError,
    ConflictError,
    RateLimitError,
    UpstreamError,
    ServerError,
}

type Message = Cow<'static, str>;

/// Constructors, by status.
impl ApiError {
    fn new(status: StatusCode, kind: ErrorType, code: &'static str, message: impl Into<Message>) -> Self {
        let error = ErrorDetail {
            kind,
            code,
            message: message.into(),
            param: None,
            turn_id: None,
            upstream_status: None,
            retry_after_ms: None,
            upstream_request_id: None,
        };
        Self(Box::new(Inner { status, error, log: None, retry_after: None, not_again: false, fields: Map::new() }))
    }

    pub fn bad_request(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::InvalidRequestError, code, message)
    }

    pub fn unauthorized(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::AuthenticationError, code, message)
    }

    pub fn forbidden(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorType::PermissionError, code, message)
    }

    pub fn not_found(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorType::NotFoundError, code, message)
    }

    pub fn timeout(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, ErrorType::InvalidRequestError, code, message)
    }

    pub fn conflict(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::CONFLICT, ErrorType::ConflictError, code, message)
    }

    /// `message` names the limit and its value.
    pub fn payload_too_large(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorType::InvalidRequestError, code, message)
    }

    pub fn unsupported_media_type(message: impl Into<Message>) -> Self {
        let code = "unsupported_media_type";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorType::InvalidRequestError, code, message)
    }

    pub fn unprocessable(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorType::InvalidRequestError, code, message)
    }

    pub fn too_many(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorType::RateLimitError, code, message)
    }

    /// A fault of ours. The client learns nothing of `log`.
    pub fn internal(log: impl Into<String>) -> Self {
        let message = "Something failed inside the server. Its log says more, under this answer's x-request-id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorType::ServerError, "internal_error", message).log(log)
    }

    /// A turn that failed because of the model's server: 502, 504, or its own 429.
    pub fn upstream(status: StatusCode, code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(status, ErrorType::UpstreamError, code, message)
    }

    pub fn unavailable(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorType::ServerError, code, message)
    }

    pub fn insufficient_storage(code: &'static str, message: impl Into<Message>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, ErrorType::ServerError, code, message)
    }
}

/// What may be added to one.
impl ApiError {
    /// The field, parameter or header at fault.
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.0.error.param = Some(param.into());
        self
    }

    /// The place at fault lies in another one.
    pub fn within(mut self, at: &str) -> Self {
        self.0.error.param = Some(match self.0.error.param.take() {
            None => at.to_owned(),
            Some(inner) if inner.starts_with('[') => format!("{at}{inner}"),
            Some(inner) => format!("{at}.{inner}"),
        });
        self
    }

    pub fn turn_id(mut self, turn_id: impl Into<String>) -> Self {
        self.0.error.turn_id = Some(turn_id.into());
        self
    }

    /// What the upstream said beside its failure: on the native API alone, the others' errors have no such fields.
    pub fn upstream_said(mut self, failure: &Failure) -> Self {
        self.0.error.upstream_status = failure.upstream_status;
        self.0.error.retry_after_ms = failure.retry_after_ms;
        self.0.error.upstream_request_id.clone_from(&failure.upstream_request_id);
        self
    }

    /// Said to the log only.
    pub fn log(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }

    /// Sent as whole seconds, rounded up.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Stock clients are told not to send it again by themselves: it is kept, or would fail again.
    pub fn not_again(mut self) -> Self {
        self.0.not_again = true;
        self
    }

    /// Top-level members beside `error`: the fields of a turn that failed. A member called `error` is left out.
    pub fn fields(mut self, mut fields: Map<String, Value>) -> Self {
        fields.remove("error");
        self.0.fields = fields;
        self
    }
}

impl ApiError {
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn code(&self) -> &'static str {
        self.0.error.code
    }

    /// What stands inside the envelope; for errors that travel in a stream instead of an answer.
    pub fn detail(&self) -> &ErrorDetail {
        &self.0.error
    }
}

#[derive(Serialize)]
struct Answer {
    error: ErrorDetail,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Inner { status, error, log, retry_after, not_again, fields } = *self.0;
        let (code, cause) = (error.code, log.as_deref().unwrap_or(&error.message));
        // Somebody else's failure, which the turn's own line tells too.
        if error.kind == ErrorType::UpstreamError {
            tracing::warn!(status = status.as_u16(), code, cause, "upstream failed");
        } else if status.is_server_error() {
            tracing::error!(status = status.as_u16(), code, cause, "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), code, cause, "request refused");
        }

        // For a surface that words it in another way.
        let detail = error.clone();
        let mut response = (status, Json(Answer { error, fields })).into_response();
        response.extensions_mut().insert(detail);
        let headers = response.headers_mut();
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(wait).into());
        }
        if not_again {
            headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// For `Router::fallback`.
pub async fn route_not_found(request: Request) -> ApiError {
    let (method, path) = (clip(request.method().as_str(), 20), clip(request.uri().path(), 100));
    ApiError::not_found("route_not_found", format!("There is no {method} {path}. GET /docs lists what there is."))
}

/// For `Router::method_not_allowed_fallback`, which adds the `Allow` header by itself.
pub async fn method_not_allowed(request: Request) -> ApiError {
    let (method, path) = (clip(request.method().as_str(), 20), clip(request.uri().path(), 100));
    let message = format!("{path} does not take {method}. The Allow header of this answer names what it takes.");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorType::InvalidRequestError, "method_not_allowed", message)
}

/// Client text in a message of ours: never more than `max` characters of it.
pub(crate) fn clip(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}
