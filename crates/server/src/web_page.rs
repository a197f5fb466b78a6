//! The page: `GET /`, `/s/{id}`, and the files that it is made of, embedded when the binary is built.
//!
//! It comes from this server alone, is the same for everybody, and what it shows it gets through the native API. A
//! binary that was built without the page says so in its place.

mod encoding;

use std::borrow::Cow;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
        VARY,
    },
};
use rust_embed::RustEmbed;

use crate::{error::route_not_found, web_page::encoding::Encoding};

/// Remote images are shown once the user has asked for them, so the policy has to let them. KaTeX sets its formulas
/// with style attributes.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob: https: http:; style-src 'self'; \
                      style-src-attr 'unsafe-inline'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// The build names these by their content.
const ASSETS: &str = "assets/";
const INDEX: &str = "index.html";

/// What the web build has written. A debug build reads it from the folder, at run time.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Where the page's files come from.
#[derive(Debug, Clone, Copy)]
pub struct Files {
    pub find: fn(&str) -> Option<File>,
    pub names: fn() -> Vec<String>,
}

pub struct File {
    pub bytes: Cow<'static, [u8]>,
    pub sha256: [u8; 32],
}

/// Those of this build.
pub const EMBEDDED: Files = Files {
    find: |path| {
        let found = Dist::get(path)?;
        Some(File { bytes: found.data, sha256: found.metadata.sha256_hash() })
    },
    names: || Dist::iter().map(Cow::into_owned).collect(),
};

pub fn router<S: Clone + Send + Sync + 'static>(files: Files) -> Router<S> {
    let index = get(async move |headers: HeaderMap| files.answer(INDEX, &headers).unwrap_or_else(without_page));
    let assets = get(async move |request: axum::extract::Request| {
        match files.answer(request.uri().path().trim_start_matches('/'), request.headers()) {
            Some(found) => found,
            None => route_not_found(request).await.into_response(),
        }
    });
    let router =
        Router::new().route("/", index.clone()).route("/s/{id}", index).route("/assets/{*file}", assets.clone());
    // A route for each, and not one for any path: what does not exist stays an API error.
    let beside = (files.names)().into_iter().filter(|name| !name.contains('/') && name != INDEX && is_plain(name));
    beside.fold(router, |router, name| router.route(&format!("/{name}"), assets.clone()))
}

/// By the browser, each time.
const CHECKED: &str = "no-cache";
const KEPT: &str = "public, max-age=31536000, immutable";

fn without_page() -> Response {
    let headers = [
        (CONTENT_TYPE, kind(INDEX)),
        (CACHE_CONTROL, HeaderValue::from_static(CHECKED)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, include_str!("web_page/missing.html")).into_response()
}

impl Files {
    fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let kind = is_plain(path).then(|| kind(path))?;
        let (encoding, file) = self.best(path, headers)?;
        let tag = format!("\"{}\"", hex(&file.sha256[..16]));
        let cached = if path.starts_with(ASSETS) { KEPT } else { CHECKED };
        let unchanged = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).is_some_and(|known| {
            known.split(',').any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
        });
        let mut response = match unchanged {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(CONTENT_TYPE, kind)], file.bytes).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cached));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.extend(HeaderValue::from_str(&tag).map(|tag| (ETAG, tag)));
        if let Some(name) = encoding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        Some(response)
    }

    /// The file as the client likes it best, of the forms that the build has made.
    fn best(&self, path: &str, headers: &HeaderMap) -> Option<(Encoding, File)> {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut forms = encoding::accepted(accepted).into_iter();
        forms.find_map(|form| Some((form, (self.find)(&format!("{path}{}", form.ending()))?)))
    }
}

/// A path as the build makes them, and not one of its compressed forms.
fn is_plain(path: &str) -> bool {
    let sound = |part: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(known)
    };
    path.split('/').all(sound) && !path.ends_with(".br") && !path.ends_with(".gz")
}

fn kind(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
