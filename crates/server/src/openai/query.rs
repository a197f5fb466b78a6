//! Parameters of OpenAI's GET routes. `include` may stand there many times and in two spellings; it changes nothing here.

use axum::extract::FromRequestParts;
use http::{Uri, request::Parts};
use serde::de::DeserializeOwned;

use crate::{error::ApiError, params};

pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let asked = parts.uri.query().unwrap_or_default();
        let is_include = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            matches!(name, "include" | "include[]" | "include%5B%5D" | "include%5b%5d")
        };
        let rest: Vec<&str> = asked.split('&').filter(|pair| !is_include(pair)).collect();
        let uri: Uri = format!("/?{}", rest.join("&")).parse().map_err(|_| {
            ApiError::bad_request("invalid_value", "The address's query does not fit: it is no valid URI.")
        })?;
        params::query(&uri).map(Self)
    }
}
