//! Base URLs: which are accepted, what lies below them, and the origin that a key is bound to.

use http::Uri;

/// What is wrong with one, behind the name that it has where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(&'static str);

impl BadUrl {
    pub(crate) const NONE: BadUrl = BadUrl("is missing");
}

/// `scheme://host` in lower case, with `:port` unless it is the scheme's own. What a key may be sent to is decided by
/// comparing this text.
pub fn origin(base_url: &str) -> Result<String, BadUrl> {
    Ok(Base::parse(base_url)?.origin)
}

/// A base URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    pub(crate) https: bool,
    /// In lower case; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) origin: String,
    /// Without the slash at its end.
    path: String,
    /// With its question mark. Some gateways want a version there.
    query: String,
}

impl Base {
    pub fn parse(base_url: &str) -> Result<Self, BadUrl> {
        if base_url.contains('#') {
            return Err(BadUrl("may not have a fragment (#)"));
        }
        let uri: Uri = base_url.parse().map_err(|_| BadUrl("is not a URL, as in https://api.example.com/v1"))?;
        let (scheme, https) = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => ("https", true),
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => ("http", false),
            _ => return Err(BadUrl("must begin with https:// or http://")),
        };
        let authority = uri.authority().ok_or(BadUrl("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(BadUrl("may not hold a user or password: set api_key instead"));
        }
        let shown = authority.host().to_ascii_lowercase();
        let host = shown.trim_start_matches('[').trim_end_matches(']').to_owned();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(BadUrl("names no host"));
        }
        let own_port = if https { 443 } else { 80 };
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.contains(']') => digits.parse().map_err(|_| BadUrl("has a bad port"))?,
            _ => own_port,
        };
        let origin =
            if port == own_port { format!("{scheme}://{shown}") } else { format!("{scheme}://{shown}:{port}") };
        Ok(Base {
            https,
            host,
            port,
            origin,
            path: uri.path().trim_end_matches('/').to_owned(),
            query: uri.query().map(|query| format!("?{query}")).unwrap_or_default(),
        })
    }

    /// Host and port, as the `Host` header and a message name them.
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// What stands in the request line for `path`. A base URL that already ends with it is taken as it is.
    pub fn target(&self, path: &str) -> String {
        let base = self.path.strip_suffix(path).unwrap_or(&self.path);
        format!("{base}{path}{}", self.query)
    }

    /// `path` in full, for a message: without the query, which may hold a secret.
    pub fn shown(&self, path: &str) -> String {
        let base = self.path.strip_suffix(path).unwrap_or(&self.path);
        format!("{}{base}{path}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for same in ["https://API.example.com/v1", "HTTPS://api.example.com:443", "https://api.example.com/?a=b"] {
            assert_eq!(origin(same).unwrap(), "https://api.example.com", "{same}");
        }
        assert_eq!(origin("http://127.0.0.1:11434/v1").unwrap(), "http://127.0.0.1:11434");
        assert_eq!(origin("http://a:80").unwrap(), "http://a");
        assert_eq!(origin("https://a:80").unwrap(), "https://a:80");
        assert_eq!(origin("http://[::1]:8000/v1").unwrap(), "http://[::1]:8000");
        assert_eq!(origin("http://[::1]").unwrap(), "http://[::1]");
    }

    #[test]
    fn other_urls_are_refused() {
        for bad in [
            "",
            "api.example.com",
            "/v1",
            "ftp://a/v1",
            "file:///etc/passwd",
            "https://",
            "https://user:pw@a/v1",
            "https://api.openai.com@evil.example/v1",
            "https://a\\@b/",
            "https://a b/",
            "https://a/#@b",
            "https://a%2eb/",
            "https://a:99999/",
            "https://a:/",
            "https://a:-1/",
            "https://ä.example/",
        ] {
            assert!(origin(bad).is_err(), "{bad} -> {:?}", origin(bad));
        }
    }

    #[test]
    fn a_path_is_joined_once() {
        let target = |base: &str| Base::parse(base).unwrap().target("/chat/completions");
        assert_eq!(target("https://a"), "/chat/completions");
        assert_eq!(target("https://a/"), "/chat/completions");
        assert_eq!(target("https://a/v1/"), "/v1/chat/completions");
        assert_eq!(target("https://a/v1/chat/completions"), "/v1/chat/completions");
        assert_eq!(target("https://a/x?version=1"), "/x/chat/completions?version=1");
        assert_eq!(Base::parse("https://a/x?k=1").unwrap().shown("/models"), "https://a/x/models");
    }

    #[test]
    fn a_host_is_connected_to_without_brackets() {
        let base = Base::parse("http://[::1]:8000").unwrap();
        assert_eq!((base.host.as_str(), base.port, base.authority()), ("::1", 8000, "[::1]:8000"));
    }
}
