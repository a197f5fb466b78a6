//! JSON request bodies: `Body<T>` and `OptionalBody<T>`, the only ways in.
//!
//! A body is read within a size and a time, must be sound (`strict`), and must fit `T` with no field left over
//! (`T` says `deny_unknown_fields`). What was received stays at hand as `Raw` for the hash that idempotency needs.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::explain::{Source, explain};
use crate::strict;

/// What a body may cost. Put into the request's extensions by `rim`; a route that takes more (an import) replaces it
/// with `layer(Extension(Limits { … }))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `body_bytes_max`, default 8 MiB. Counts what is really read.
    pub body_bytes_max: usize,
    /// `body_timeout`, default 60 s, from the head to the last byte.
    pub body_timeout: Duration,
    /// `json_depth_max`, default 64, at most 127.
    pub json_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 8 << 20, body_timeout: Duration::from_secs(60), json_depth_max: 64 }
    }
}

/// A JSON body that must be there.
#[derive(Debug)]
pub struct Body<T> {
    pub value: T,
    pub raw: Raw,
}

/// A JSON body that may be left out: then `value` is the default and `raw` that of `{}`.
#[derive(Debug)]
pub struct OptionalBody<T> {
    pub value: T,
    pub raw: Raw,
}

/// What a request that needs no body may say in one: nothing.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A sound JSON text as it was received. Drop it before a long wait: it may be large.
#[derive(Clone, Debug)]
pub struct Raw(Bytes);

impl Raw {
    /// SHA-256 of the canonical form, without the top-level keys in `ignore`.
    pub fn hash(&self, ignore: &[&str]) -> [u8; 32] {
        match serde_json::from_slice(&self.0) {
            Ok(value) => body_hash(&value, ignore),
            Err(_) => Sha256::digest(&self.0).into(),
        }
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let limits = limits(&request);
        match receive(request, &limits).await? {
            Some(raw) => Ok(Self { value: parse(&raw, &limits)?, raw: Raw(raw) }),
            None => Err(ApiError::bad_request("body_required", "This request needs a JSON body.")),
        }
    }
}

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let limits = limits(&request);
        match receive(request, &limits).await? {
            Some(raw) => Ok(Self { value: parse(&raw, &limits)?, raw: Raw(raw) }),
            None => Ok(Self { value: T::default(), raw: Raw(Bytes::from_static(b"{}")) }),
        }
    }
}

/// Keys sorted at every level, no white space; numbers as serde_json writes them.
pub fn body_hash(value: &Value, ignore: &[&str]) -> [u8; 32] {
    let mut text = Vec::new();
    canonical(value, ignore, &mut text);
    Sha256::digest(&text).into()
}

fn canonical(value: &Value, ignore: &[&str], out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                canonical(item, &[], out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(key, _)| !ignore.contains(&key.as_str())).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, member) in members {
                canonical(&Value::from(key.as_str()), &[], out);
                out.push(b':');
                canonical(member, &[], out);
                out.push(b',');
            }
            out.push(b'}');
        }
        scalar => out.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

fn limits(request: &Request) -> Limits {
    request.extensions().get().copied().unwrap_or_default()
}

/// `None` for an empty body, whatever its headers say.
async fn receive(request: Request, limits: &Limits) -> Result<Option<Bytes>, ApiError> {
    refuse_encoded(request.headers())?;
    if request.body().is_end_stream() {
        return Ok(None);
    }
    refuse_other_types(request.headers())?;
    let raw = tokio::time::timeout(limits.body_timeout, read(request.into_body(), limits.body_bytes_max))
        .await
        .map_err(|_elapsed| {
            let message = format!("The body was not complete within body_timeout = {:?}.", limits.body_timeout);
            ApiError::timeout("body_timeout", message)
        })??;
    Ok(Some(raw).filter(|raw| !raw.is_empty()))
}

fn refuse_encoded(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoded =
        headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        let message = "Compressed bodies are not taken. Send the body without Content-Encoding.";
        return Err(ApiError::unsupported_media_type(message).param("content-encoding"));
    }
    Ok(())
}

fn refuse_other_types(headers: &HeaderMap) -> Result<(), ApiError> {
    let stated = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if stated.is_some_and(is_json) {
        return Ok(());
    }
    let message = "The body must be JSON in UTF-8: send the header Content-Type: application/json.";
    Err(ApiError::unsupported_media_type(message).param("content-type"))
}

/// `application/json` or `application/…+json`; of the parameters only `charset` matters.
fn is_json(stated: &str) -> bool {
    let mut parts = stated.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else { return false };
    let charset =
        parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let utf8 = charset.is_none_or(|(_, value)| {
        let value = value.trim().trim_matches('"');
        value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
    });
    utf8 && (subtype == "json" || subtype.ends_with("+json"))
}

async fn read(mut body: axum::body::Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        let message = format!("The body is larger than body_bytes_max = {bytes_max} bytes.");
        ApiError::payload_too_large("body_too_large", message)
    };
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }

    // Most bodies are one frame, and that one is not copied. More are joined at once: a list of one-byte chunks
    // would cost many times the limit.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            ApiError::bad_request("body_incomplete", "The body ended before it was complete.").log(error.to_string())
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + joined.len() + data.len() > bytes_max {
            return Err(too_large());
        }
        if first.is_empty() && joined.is_empty() {
            first = data;
            continue;
        }
        joined.extend_from_slice(&std::mem::take(&mut first));
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

/// A value from within a body, refused as the body itself would be; `at` is its place there.
pub fn part<T: DeserializeOwned>(value: Value, at: &str) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (path, inner) = (error.path().clone(), error.into_inner());
        explain(&Source::Body, &path, &inner.to_string()).within(at)
    })
}

fn parse<T: DeserializeOwned>(raw: &[u8], limits: &Limits) -> Result<T, ApiError> {
    let text = strict::check(raw, limits.json_depth_max)?;
    // A derived type would take a list of its fields' values as well.
    if text.trim_ascii_start().starts_with('[') {
        return Err(ApiError::bad_request(
            "invalid_value",
            "The body does not fit: it is a list, and must be a JSON object.",
        ));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().clone(), error.into_inner());
        let position = format!(" at line {} column {}", inner.line(), inner.column());
        let message = inner.to_string();
        explain(&Source::Body, &path, message.strip_suffix(&position).unwrap_or(&message))
    })
}
