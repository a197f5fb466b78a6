//! Which hosts and which web pages may talk to this server. Always on.
//!
//! A server on localhost is open to every page the user visits unless it looks at two headers: `Host` (a page can
//! point a name of its own at 127.0.0.1: DNS rebinding) and `Origin` (a page can simply send a request). Hosts are
//! compared as text after lower-casing, with no clever reading of odd forms: what is not plainly on the list is refused.

use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::error::{ApiError, clip};

/// The operator's two lists, checked.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Invalid {
    #[error("allowed_hosts: `{0}` is not a host name or address; write it without scheme, port and path")]
    Host(String),
    #[error("allowed_origins: `{0}` is not an origin; write it as https://chat.example.com")]
    Origin(String),
}

/// How a request that passed goes on.
#[derive(Debug)]
pub enum Pass {
    /// From no page, or from one of our own.
    Plain,
    /// From a listed origin, whose page may read the answer.
    Cross(HeaderValue),
    /// A browser's question before such a request; `preflight` answers it.
    Preflight(HeaderValue),
}

impl Guard {
    /// `hosts` are names or addresses, good on any port, beside localhost, 127.0.0.1 and [::1]; `origins` are full
    /// origins (`https://chat.example.com`).
    pub fn new(hosts: &[String], origins: &[String]) -> Result<Self, Invalid> {
        let host = |listed: &String| match split_authority(listed) {
            Some((host, None)) => Ok(host.to_ascii_lowercase()),
            _ => Err(Invalid::Host(listed.clone())),
        };
        let origin = |listed: &String| {
            let origin = listed.strip_suffix('/').unwrap_or(listed).to_ascii_lowercase();
            let sound = origin.split_once("://").is_some_and(|(scheme, rest)| {
                !scheme.is_empty() && split_authority(rest).is_some() && HeaderValue::from_str(&origin).is_ok()
            });
            if sound { Ok(origin) } else { Err(Invalid::Origin(listed.clone())) }
        };
        Ok(Self {
            hosts: hosts.iter().map(host).collect::<Result<_, _>>()?,
            origins: origins.iter().map(origin).collect::<Result<_, _>>()?,
        })
    }

    pub fn admit(&self, request: &Request) -> Result<Pass, ApiError> {
        let host = one(request.headers(), &HOST)?
            .ok_or_else(|| ApiError::bad_request("host_required", "The request has no Host header.").param("host"))?;
        self.check_host(host)?;
        // `GET http://other.example/ HTTP/1.1` names its host twice.
        if let Some(authority) = request.uri().authority() {
            self.check_host(authority.as_str())?;
        }

        let Some(origin) = one(request.headers(), &ORIGIN)? else { return Ok(Pass::Plain) };
        if same_origin(origin, host) {
            return Ok(Pass::Plain);
        }
        let listed = origin.to_ascii_lowercase();
        if !self.origins.contains(&listed) {
            return Err(origin_refused(origin));
        }
        let origin = HeaderValue::from_str(origin).map_err(|_| origin_refused(origin))?;
        Ok(if is_preflight(request) { Pass::Preflight(origin) } else { Pass::Cross(origin) })
    }

    fn check_host(&self, authority: &str) -> Result<(), ApiError> {
        if split_authority(authority).is_some_and(|(host, _)| self.knows(host)) {
            return Ok(());
        }
        let shown = clip(authority, 100);
        let message = format!(
            "This server does not answer to the host `{shown}`. If it should, add the name to the setting allowed_hosts."
        );
        Err(ApiError::forbidden("host_not_allowed", message).param("host"))
    }

    fn knows(&self, host: &str) -> bool {
        let is = |name: &str| host.eq_ignore_ascii_case(name);
        is("localhost") || host == "127.0.0.1" || host == "[::1]" || self.hosts.iter().any(|name| is(name))
    }

    /// Puts on an answer what belongs on every one. Handlers may have set a stricter or other value themselves.
    pub fn finish(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("frame-ancestors 'none'"));
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if !self.origins.is_empty() {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

/// What a page of another origin may read of an answer's head.
const EXPOSED: &str = "x-request-id, retry-after, x-turnwise-session, x-turnwise-turn";

/// A header that must not stand there twice: which of two would count is what attackers ask.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let refuse = |what| {
        let message = format!("The header {name} {what}.");
        ApiError::bad_request("invalid_header", message).param(name.as_str())
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(refuse("is given more than once")),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| refuse("is not plain ASCII")),
    }
}

/// `host[:port]` with the host as written, an IPv6 address in its brackets.
fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some(port) if (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse().ok()?)
        }
        _ => return None,
    };
    let sound = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            !host.is_empty() && host.bytes().all(plain)
        }
    };
    sound.then_some((host, port))
}

/// The scheme counts only through its default port: behind a proxy that ends TLS we do not know our own.
fn same_origin(origin: &str, host: &str) -> bool {
    let (default_port, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (80, authority),
        Some(("https", authority)) => (443, authority),
        _ => return false,
    };
    match (split_authority(authority), split_authority(host)) {
        (Some((theirs, their_port)), Some((ours, our_port))) => {
            theirs.eq_ignore_ascii_case(ours) && their_port.unwrap_or(default_port) == our_port.unwrap_or(default_port)
        }
        _ => false,
    }
}

fn origin_refused(origin: &str) -> ApiError {
    let message = format!(
        "Pages of `{}` may not use this server. If they should, add the origin to the setting allowed_origins.",
        clip(origin, 100)
    );
    ApiError::forbidden("origin_not_allowed", message).param("origin")
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a page of a listed origin may send. `finish` adds the origin.
pub fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PATCH, DELETE"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    // The origin is listed, so its pages are trusted; stock SDKs send a dozen headers of their own.
    if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}
