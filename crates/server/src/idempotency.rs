//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use http::{HeaderName, request::Parts};
use store::Idempotency;

use crate::{auth::Caller, body::Raw, error::ApiError};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const CHARS_MAX: usize = 255;

/// A request's key, if it has one, and the path it was sent to.
#[derive(Debug)]
pub struct Key {
    key: Option<String>,
    path: String,
}

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let path = parts.uri.path().to_owned();
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Key { key: None, path }) };
        let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= CHARS_MAX);
        let Some(key) = key else {
            let message = format!("An Idempotency-Key has 1 to {CHARS_MAX} visible ASCII characters.");
            return Err(ApiError::bad_request("invalid_idempotency_key", message).param("idempotency-key"));
        };
        Ok(Key { key: Some(key.to_owned()), path })
    }
}

impl Key {
    /// In the scope of its caller and path. How the answer is wanted does not make another request.
    pub fn of(self, caller: &Caller, raw: &Raw) -> Option<Idempotency> {
        Some(Idempotency {
            key: self.key?,
            caller: caller.name.clone(),
            path: self.path,
            body_hash: raw.hash(&["stream", "wait"]),
        })
    }
}
