//! The cookie of a sign-in. It holds no key, and no script can read it; a browser sends it with what its own page asks
//! for, and with nothing that another site asks for.

use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, ORIGIN},
};
use store::{SignIn, Store};

use crate::error::ApiError;

pub(crate) const NAME: &str = "turnwise";

/// Other servers on the same host may have set cookies of the same name: the first that this one has sealed counts.
pub(crate) fn read(headers: &HeaderMap, store: &Store) -> Option<SignIn> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut ours =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='));
    ours.find_map(|sealed| store.unseal_sign_in(sealed))
}

/// With an empty `value` and no age it is cleared.
pub(crate) fn set(value: &str, seconds: u64, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let secure = if is_secure(headers) { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).map_err(|_| ApiError::internal("a cookie that is no header"))
}

/// Whether the browser speaks TLS, to a proxy in front of us: by the proxy's word, or by the origin of our own page.
/// Over plain HTTP a browser would not take a cookie marked as secure.
fn is_secure(headers: &HeaderMap) -> bool {
    let says = |name, start: &str| {
        let value = headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.and_then(|value| value.get(..start.len())).is_some_and(|begins| begins.eq_ignore_ascii_case(start))
    };
    says(http::HeaderName::from_static("x-forwarded-proto"), "https") || says(ORIGIN, "https://")
}
