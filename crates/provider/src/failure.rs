//! What went wrong, in words for the person who sees it: what failed, for which upstream and model, what to do. Never the
//! key, never what was said in the session; of the upstream's own words a few, cleaned.

use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use session::turn::{
    Failure,
    FailureCode::{self, *},
};

use crate::{
    format::{Refusal, Trouble},
    http::connect::Unreachable,
};

/// Of an upstream's own words at most so many are passed on.
const QUOTE_CHARS_MAX: usize = 300;

/// Where upstreams name a request: most; Anthropic; DeepSeek; SiliconFlow; Azure.
const REQUEST_ID: [&str; 5] =
    ["x-request-id", "request-id", "x-ds-trace-id", "x-siliconcloud-trace-id", "apim-request-id"];
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Who is called, for the words of a failure.
pub(crate) struct Callee {
    /// With its port, where that is not the usual one.
    pub host: String,
    /// The whole URL, without its query.
    pub url: String,
    pub model: String,
    pub key: Option<SecretString>,
    /// Whether this is the vendor's own server, whose paths are known to be right.
    pub own: bool,
}

/// Which deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    Connect,
    FirstToken,
    BetweenTokens,
}

/// With a full stop, where there is no mark yet.
fn ended(sentence: String) -> String {
    if sentence.ends_with(['.', '?', '…']) { sentence } else { sentence + "." }
}

pub(crate) fn failure(code: FailureCode, message: String) -> Failure {
    Failure::new(code, message)
}

impl Callee {
    pub fn unreachable(&self, why: &Unreachable) -> Failure {
        let Callee { host, .. } = self;
        failure(UpstreamUnreachable, ended(format!("No connection to the upstream {host}: {}", self.cleaned(&why.0))))
    }

    /// The connection ended before an answer began.
    pub fn silent(&self, how: &str) -> Failure {
        let Callee { host, .. } = self;
        failure(UpstreamUnreachable, ended(format!("The upstream {host} gave no answer: {}", self.cleaned(how))))
    }

    pub fn late(&self, late: Late, after_ms: u64) -> Failure {
        let Callee { host, model, .. } = self;
        let after =
            if after_ms.is_multiple_of(1000) { format!("{} s", after_ms / 1000) } else { format!("{after_ms} ms") };
        let message = match late {
            Late::Connect => format!("No connection to the upstream {host} within {after} (timeouts.connect_ms)."),
            Late::FirstToken => format!(
                "The upstream {host} gave no answer of {model} within {after}. If the model thinks long or loads slowly, \
                 raise timeouts.first_token_ms of this config."
            ),
            Late::BetweenTokens => format!(
                "The upstream {host} fell silent for {after} in the middle of an answer of {model} \
                 (timeouts.between_tokens_ms)."
            ),
        };
        failure(UpstreamTimeout, message)
    }

    /// An answer with a status other than success.
    pub fn refused(&self, status: StatusCode, retry_after_ms: Option<u64>, refusal: &Refusal) -> Failure {
        let code = refusal.code.unwrap_or_else(|| self.code(status, refusal));
        let mut failure = failure(code, self.told(code, &format!(" ({})", status.as_u16()), refusal));
        failure.upstream_status = Some(status.as_u16());
        failure.retry_after_ms = retry_after_ms.filter(|_| code.is_passing());
        failure
    }

    /// Trouble in an answer that began well.
    pub fn trouble(&self, trouble: &Trouble) -> Failure {
        let Callee { host, model, .. } = self;
        match trouble {
            Trouble::Refused(refusal) => {
                let status = refusal.status.and_then(|status| StatusCode::from_u16(status).ok());
                let by_status = || status.map_or(UpstreamError, |status| self.code(status, refusal));
                let code = refusal.code.unwrap_or_else(by_status);
                failure(code, self.told(code, "", refusal))
            }
            Trouble::Garbled => failure(
                UpstreamError,
                format!("The upstream {host} answered for {model} with something that is no chat completion."),
            ),
            Trouble::BrokeOff => self.broke_off("it ended without a finish reason"),
        }
    }

    pub fn broke_off(&self, how: &str) -> Failure {
        let Callee { host, model, .. } = self;
        failure(UpstreamError, ended(format!("The answer of {model} at {host} broke off: {}", self.cleaned(how))))
    }

    pub fn too_long(&self, bytes_max: usize) -> Failure {
        let Callee { host, model, .. } = self;
        let message = format!("The upstream {host} sent a single event of more than {bytes_max} bytes for {model}.");
        failure(UpstreamError, message)
    }

    pub fn web_page(&self) -> Failure {
        let Callee { url, .. } = self;
        let message =
            format!("{url} answered with a web page, not with a chat completion. Check the base_url of this config.");
        failure(UpstreamError, message)
    }

    pub fn compressed(&self, encoding: &str) -> Failure {
        let Callee { host, .. } = self;
        let encoding = self.cleaned(encoding);
        let message = format!("The upstream {host} compressed its answer ({encoding}) although it was asked not to.");
        failure(UpstreamError, message)
    }

    /// `to` is where the upstream sends us; of it only the origin is told.
    pub fn redirected(&self, status: StatusCode, to: Option<&str>) -> Failure {
        let Callee { url, .. } = self;
        let to = to.and_then(|to| crate::url::origin(to).ok()).unwrap_or_else(|| "elsewhere".into());
        let mut failure = failure(
            UpstreamRejected,
            format!(
                "{url} redirects to {to} ({}). Redirects are not followed: set base_url to where the API is.",
                status.as_u16()
            ),
        );
        failure.upstream_status = Some(status.as_u16());
        failure
    }

    /// What the upstream calls the request, by its answer's headers; `None` for what no vendor would call one.
    pub fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = REQUEST_ID.iter().find_map(|name| headers.get(*name)?.to_str().ok())?;
        let sound = (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        let key = self.key.as_ref().map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty());
        (sound && !key.is_some_and(|key| id.contains(key))).then(|| id.to_owned())
    }

    fn code(&self, status: StatusCode, refusal: &Refusal) -> FailureCode {
        match status.as_u16() {
            401 | 403 => UpstreamKeyRejected,
            404 if self.own && refusal.in_format => UpstreamModelNotFound,
            408 | 504 => UpstreamTimeout,
            429 => UpstreamRateLimited,
            400..=499 => UpstreamRejected,
            _ => UpstreamError,
        }
    }

    fn told(&self, code: FailureCode, status: &str, refusal: &Refusal) -> String {
        let Callee { host, url, model, .. } = self;
        let message = match code {
            UpstreamKeyRejected if self.key.is_none() => {
                format!("The upstream {host} wants a key{status}. Set an api_key for this config.")
            }
            UpstreamKeyRejected => {
                format!(
                    "The upstream {host} refused the key of this config{status}. Set another api_key for this config."
                )
            }
            UpstreamModelNotFound => {
                format!(
                    "The upstream {host} does not know the model {model}{status}. Set another model for this config."
                )
            }
            UpstreamRateLimited => {
                format!("The upstream {host} takes no more calls of {model} at the moment{status}. Try again later.")
            }
            UpstreamTimeout => format!("The upstream {host} gave up waiting for {model}{status}. Try again."),
            ContextTooLong => format!(
                "The message and its history are too long for {model} at {host}{status}. Shorten the message, set a \
                 smaller window for this config, or start a new session."
            ),
            ContentFilter => format!("The content filter of {host} stopped this call of {model}{status}."),
            UpstreamRejected if status.contains("404") => {
                format!("{url} does not exist{status}. Check the base_url of this config.")
            }
            UpstreamRejected if status.contains("402") => format!(
                "The account at {host} has nothing left to pay with{status}. Top it up, or set another api_key for this \
                 config."
            ),
            UpstreamRejected => {
                format!(
                    "The upstream {host} refused this call of {model}{status}. Check the account and the parameters of this config."
                )
            }
            _ => format!("The upstream {host} failed to answer for {model}{status}. Try again."),
        };
        match self.cleaned(&refusal.message) {
            said if said.is_empty() => message,
            said => format!("{message} It said: {said}"),
        }
    }

    /// Words of the upstream, fit to be shown: one line, not long, without the key.
    fn cleaned(&self, text: &str) -> String {
        // More than is shown, since taking out the key and runs of spaces makes it shorter; bounded all the same.
        let visible: String = text.chars().take(64 * 1024).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(key) = self.key.as_ref().map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty()) {
            line = line.replace(key, "[api_key]");
        }
        match line.char_indices().nth(QUOTE_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee() -> Callee {
        Callee {
            host: "api.example.com".into(),
            url: "https://api.example.com/v1/chat/completions".into(),
            model: "m-1".into(),
            key: Some("sk-secret".into()),
            own: false,
        }
    }

    fn refused(status: u16, refusal: &Refusal) -> Failure {
        callee().refused(StatusCode::from_u16(status).unwrap(), Some(7), refusal)
    }

    #[test]
    fn a_status_has_a_code() {
        for (status, code) in [
            (400, UpstreamRejected),
            (401, UpstreamKeyRejected),
            (402, UpstreamRejected),
            (403, UpstreamKeyRejected),
            (404, UpstreamRejected),
            (408, UpstreamTimeout),
            (413, UpstreamRejected),
            (422, UpstreamRejected),
            (429, UpstreamRateLimited),
            (500, UpstreamError),
            (502, UpstreamError),
            (503, UpstreamError),
            (504, UpstreamTimeout),
            (529, UpstreamError),
        ] {
            let failure = refused(status, &Refusal::default());
            assert_eq!(failure.code, code, "{status}");
            assert_eq!(failure.upstream_status, Some(status));
            assert_eq!(failure.retry_after_ms.is_some(), code.is_passing(), "{status}");
            assert!(failure.message.contains(&format!("({status})")), "{}", failure.message);
        }
    }

    #[test]
    fn a_404_of_the_vendors_own_is_about_the_model() {
        let own = Callee { own: true, ..callee() };
        let in_format = Refusal { in_format: true, ..Refusal::default() };
        assert_eq!(own.refused(StatusCode::NOT_FOUND, None, &in_format).code, UpstreamModelNotFound);
        assert_eq!(own.refused(StatusCode::NOT_FOUND, None, &Refusal::default()).code, UpstreamRejected);
    }

    #[test]
    fn messages_say_what_and_for_what_and_what_to_do() {
        let all: Vec<String> =
            [401, 402, 404, 429, 500].map(|status| refused(status, &Refusal::default()).message).into();
        insta::assert_snapshot!(all.join("\n"), @"
        The upstream api.example.com refused the key of this config (401). Set another api_key for this config.
        The account at api.example.com has nothing left to pay with (402). Top it up, or set another api_key for this config.
        https://api.example.com/v1/chat/completions does not exist (404). Check the base_url of this config.
        The upstream api.example.com takes no more calls of m-1 at the moment (429). Try again later.
        The upstream api.example.com failed to answer for m-1 (500). Try again.
        ");
        let late = callee().late(Late::FirstToken, 1500).message;
        insta::assert_snapshot!(late, @"The upstream api.example.com gave no answer of m-1 within 1500 ms. If the model thinks long or loads slowly, raise timeouts.first_token_ms of this config.");
    }

    #[test]
    fn an_upstreams_words_are_cleaned() {
        let said = |message: &str| {
            let refusal = Refusal { message: message.into(), ..Refusal::default() };
            refused(500, &refusal).message.split_once("It said: ").map(|(_, said)| said.to_owned())
        };
        assert_eq!(said(" \n\0 "), None);
        assert_eq!(said("a\r\n\0b\u{1b}[31m  c\u{85}d"), Some("a b [31m c d".into()));
        assert_eq!(said("key sk-secret, twice sk-secret"), Some("key [api_key], twice [api_key]".into()));
        assert_eq!(said(&"好".repeat(400)).unwrap().chars().count(), QUOTE_CHARS_MAX + 1);
        assert_eq!(said(&format!("{}sk-secret", "x".repeat(QUOTE_CHARS_MAX - 3))).unwrap().matches("sk-").count(), 0);
    }

    #[test]
    fn a_request_id_is_short_and_visible_and_no_key() {
        let id = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
            callee().request_id(&headers)
        };
        assert_eq!(id("x-request-id", "req_1"), Some("req_1".into()));
        assert_eq!(id("request-id", "req_2"), Some("req_2".into()));
        assert_eq!(id("x-ds-trace-id", &"f".repeat(128)), Some("f".repeat(128)));
        for refused in ["", "two words", "好", "a\tb", "for sk-secret", "sk-secret", &"f".repeat(129)] {
            assert_eq!(id("x-request-id", refused), None, "{refused}");
        }
        assert_eq!(id("x-other", "req_3"), None);
    }

    #[test]
    fn a_redirects_path_is_not_told() {
        let failure =
            callee().redirected(StatusCode::FOUND, Some("http://169.254.169.254/latest/meta-data?x=sk-secret"));
        assert!(failure.message.contains("redirects to http://169.254.169.254 (302)"), "{}", failure.message);
        assert_eq!(failure.code, UpstreamRejected);
    }
}
