//! `Query<T>` and `Path<T>`: axum's, with refusals in our envelope. `T` says `deny_unknown_fields`.

use std::error::Error;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, RawPathParams};
use http::Uri;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, clip};
use crate::explain::{Source, explain};

#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        refuse_nul(parts.uri.query().unwrap_or_default())?;
        query(&parts.uri).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        refuse_nul(parts.uri.path())?;
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(path_error(rejection, only_key(parts, state).await)),
        }
    }
}

/// axum names the key of a bad value only where there are several.
async fn only_key<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    let mut keys = params.iter().map(|(key, _)| key.to_owned());
    keys.next().filter(|_| keys.next().is_none())
}

/// No storage engine is given a NUL, and no id or search has one.
fn refuse_nul(encoded: &str) -> Result<(), ApiError> {
    if encoded.contains("%00") {
        return Err(ApiError::bad_request("invalid_string", "The address holds a NUL character (%00)."));
    }
    Ok(())
}

pub fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    type Located = serde_path_to_error::Error<serde::de::value::Error>;

    let rejection = match axum::extract::Query::<T>::try_from_uri(uri) {
        Ok(axum::extract::Query(value)) => return Ok(value),
        Err(rejection) => rejection,
    };
    let QueryRejection::FailedToDeserializeQueryString(failed) = &rejection else {
        return Err(ApiError::bad_request("invalid_value", rejection.body_text()));
    };
    let located = failed.source().and_then(|error| error.source()).and_then(|error| error.downcast_ref::<Located>());
    Err(match located {
        Some(located) => explain(&Source::Query, located.path(), &located.inner().to_string()),
        None => ApiError::bad_request("invalid_value", clip(&failed.body_text(), 300).into_owned()),
    })
}

fn path_error(rejection: PathRejection, only_key: Option<String>) -> ApiError {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return ApiError::internal(rejection.body_text());
    };
    let (key, fault) = match failed.into_kind() {
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
            return ApiError::internal("a route's path and its Path<…> type do not fit together");
        }
        ErrorKind::InvalidUtf8InPathParam { key } => (Some(key), "it is not UTF-8".to_owned()),
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => (Some(key), unparsed(&value, expected_type)),
        ErrorKind::ParseError { value, expected_type } => (only_key, unparsed(&value, expected_type)),
        ErrorKind::DeserializeError { key, message, .. } => (Some(key), message),
        other => (only_key, other.to_string()),
    };
    let at = key.as_deref().unwrap_or("a part of it");
    let error = ApiError::bad_request("invalid_path", format!("The path does not fit at {at}: {}.", clip(&fault, 300)));
    match key {
        Some(key) => error.param(key),
        None => error,
    }
}

fn unparsed(value: &str, expected: &str) -> String {
    format!("`{}` is no {expected}", clip(value, 60))
}
