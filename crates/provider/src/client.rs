//! One request to an upstream, up to the head of its answer.

use std::{pin::Pin, sync::Arc, task, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Incoming;
use session::{
    config::Timeouts,
    turn::{
        Failure,
        FailureCode::{UpstreamError, UpstreamKeyRejected, UpstreamRejected},
    },
};
use tokio::time::{Instant, Sleep};

use crate::{
    failure::{Callee, Late, failure},
    format::Format,
    http::{
        connect::{Connector, io_words},
        connection::Connection,
        dial::io_cause,
        pool::Pool,
        retry_after,
    },
    presets::Quirks,
    url::Base,
};

const REFUSAL_BYTES_MAX: usize = 64 * 1024;
const REFUSAL_DEADLINE: Duration = Duration::from_secs(5);
/// Longer than any call, and short enough to be added to a clock.
/// A close that crosses a request on its way is heard of within a round trip. One that comes later is the upstream's
/// answer to it.
const CROSSING: Duration = Duration::from_secs(1);

const DEADLINE_MS_MAX: u64 = 365 * 24 * 3_600_000;

/// Shared by all calls.
pub(crate) struct Client {
    pub connector: Connector,
    pub pool: Arc<Pool>,
    pub event_bytes_max: usize,
}

/// Who is asked, and how.
pub(crate) struct Upstream {
    pub client: Arc<Client>,
    pub base: Arc<Base>,
    pub callee: Callee,
    pub format: &'static dyn Format,
    pub quirks: &'static Quirks,
    pub timeouts: Timeouts,
}

/// An answer that began with success.
pub(crate) struct Answer {
    pub connection: Connection,
    pub body: Incoming,
    /// The upstream's own name for the request.
    pub request_id: Option<String>,
    /// Runs until the first token is due.
    pub timer: Timer,
}

impl Answer {
    /// The next piece of the body.
    pub async fn next(&mut self) -> Option<hyper::Result<Bytes>> {
        std::future::poll_fn(|cx| self.connection.poll_body(&mut self.body, cx)).await
    }
}

/// The one timer of a call.
pub(crate) struct Timer(Pin<Box<Sleep>>);

impl Timer {
    fn new(ms: u64) -> Self {
        Timer(Box::pin(tokio::time::sleep(Duration::from_millis(ms.min(DEADLINE_MS_MAX)))))
    }

    pub fn reset(&mut self, ms: u64) {
        self.0.as_mut().reset(Instant::now() + Duration::from_millis(ms.min(DEADLINE_MS_MAX)));
    }

    pub fn poll(&mut self, cx: &mut task::Context) -> task::Poll<()> {
        self.0.as_mut().poll(cx)
    }

    pub fn is_due(&self) -> bool {
        Instant::now() >= self.0.deadline()
    }

    async fn limit<F: Future>(&mut self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = &mut self.0 => None,
        }
    }
}

impl Upstream {
    /// Sends a request, and gives the answer when it is a success.
    ///
    /// A connection that rested may have been closed from the other side while the request was on its way. So a request
    /// that fails at once on such a one, before anything came back, goes out once more, on a new connection.
    pub async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, Failure> {
        let mut timer = Timer::new(self.timeouts.connect_ms);
        let mut rested = self.client.pool.take(&self.base.origin).await;
        loop {
            let mut connection = match rested.take() {
                Some(connection) => connection,
                None => self.connect(&mut timer).await?,
            };
            let request = self.request(method.clone(), path, body.clone())?;
            timer.reset(self.timeouts.first_token_ms);
            let sent = Instant::now();
            let answer = timer.limit(connection.send(request)).await;
            match answer.ok_or_else(|| self.callee.late(Late::FirstToken, self.timeouts.first_token_ms))? {
                Ok(answer) => return self.opened(connection, answer, timer).await,
                Err(error) if connection.reused && !error.is_parse() && sent.elapsed() < CROSSING => {
                    timer.reset(self.timeouts.connect_ms)
                }
                Err(error) => return Err(self.unanswered(&error)),
            }
        }
    }

    async fn connect(&self, timer: &mut Timer) -> Result<Connection, Failure> {
        let connection = timer.limit(self.client.connector.connect(&self.base)).await;
        let connection = connection.ok_or_else(|| self.callee.late(Late::Connect, self.timeouts.connect_ms))?;
        connection.map_err(|why| self.callee.unreachable(&why))
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Failure> {
        let unfit = |what: &str| failure(UpstreamRejected, format!("The {what} cannot be sent in an HTTP request."));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.base.target(path).parse().map_err(|_| unfit("base_url's path"))?;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(self.base.authority()).map_err(|_| unfit("base_url's host"))?;
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("turnwise/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.format.headers(headers);
        if let Some(key) = &self.callee.key {
            let (name, value) = self.format.key_header(key).ok_or_else(|| {
                let message =
                    "The key of this config has characters that no key has, a line break perhaps. Set it anew.";
                failure(UpstreamKeyRejected, message.into())
            })?;
            headers.insert(name, value);
        }
        Ok(request)
    }

    async fn opened(
        &self,
        mut connection: Connection,
        answer: Response<Incoming>,
        timer: Timer,
    ) -> Result<Answer, Failure> {
        let (head, mut body) = answer.into_parts();
        let request_id = self.callee.request_id(&head.headers);
        let named = |failure| Failure { upstream_request_id: request_id.clone(), ..failure };
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if head.status.is_redirection() {
            return Err(named(self.callee.redirected(head.status, text(LOCATION))));
        }
        let encoding = text(CONTENT_ENCODING).filter(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"));
        if !head.status.is_success() {
            let bytes = match encoding {
                None => self.read_some(&mut connection, &mut body).await,
                Some(_) => Vec::new(),
            };
            let refusal = self.format.refusal(self.quirks, &bytes);
            return Err(named(self.callee.refused(head.status, retry_after::read(&head.headers), &refusal)));
        }
        match encoding {
            Some(encoding) => Err(named(self.callee.compressed(encoding))),
            None => Ok(Answer { connection, body, request_id, timer }),
        }
    }

    /// As much of an error's body as comes in time and is worth reading.
    async fn read_some(&self, connection: &mut Connection, body: &mut Incoming) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = async {
            while bytes.len() < REFUSAL_BYTES_MAX
                && let Some(Ok(more)) = std::future::poll_fn(|cx| connection.poll_body(body, cx)).await
            {
                bytes.extend_from_slice(&more);
            }
        };
        let _ = tokio::time::timeout(REFUSAL_DEADLINE, read).await;
        bytes
    }

    fn unanswered(&self, error: &hyper::Error) -> Failure {
        if error.is_parse() {
            let host = &self.callee.host;
            let what =
                if error.is_parse_too_large() { "headers of more than 16 KiB" } else { "something that is not HTTP" };
            return failure(UpstreamError, format!("The upstream {host} answered with {what}."));
        }
        self.callee.silent(&wire_words(error))
    }
}

/// What ended a connection.
pub(crate) fn wire_words(error: &hyper::Error) -> String {
    io_cause(error).map_or_else(|| "it closed the connection".to_owned(), io_words)
}
