//! A small HTTP client: a connection for every request, so that each test sees what a fresh client sees.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, request::Builder};
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{sse::Stream, wait::soon};

#[derive(Clone)]
pub struct Client {
    addr: SocketAddr,
    headers: Vec<(&'static str, String)>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn new(addr: SocketAddr) -> Client {
        Client { addr, headers: Vec::new() }
    }

    /// With one more header on every request.
    pub fn with(&self, name: &'static str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// With an API key on every request.
    pub fn key(&self, key: &str) -> Client {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// With an idempotency key on every request.
    pub fn once(&self, key: &str) -> Client {
        self.with("idempotency-key", key)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path);
        let host = self.headers.iter().any(|(name, _)| *name == "host");
        let request = if host { request } else { request.header("host", self.addr.to_string()) };
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Full::default()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).body(Full::default()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.json(Method::POST, path, body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.json(Method::PATCH, path, body)).await
    }

    pub fn json(&self, method: Method, path: &str, body: &Value) -> Request<Full<Bytes>> {
        let request = self.request(method, path).header("content-type", "application/json");
        request.body(Full::from(body.to_string())).unwrap()
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let what = format!("{} {}", request.method(), request.uri());
        self.try_send(request).await.unwrap_or_else(|error| panic!("{what}: {error:#}"))
    }

    /// An error when the server dies before it has answered.
    pub async fn try_send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let response = self.open(request).await?;
        let (head, body) = response.into_parts();
        let body = soon(&head, body.collect()).await?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    pub async fn try_post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.try_send(self.json(Method::POST, path, body)).await
    }

    /// A GET answered with events.
    pub async fn follow(&self, path: &str) -> Stream {
        self.stream(self.request(Method::GET, path).body(Full::default()).unwrap()).await
    }

    /// A POST answered with events.
    pub async fn post_stream(&self, path: &str, body: &Value) -> Stream {
        self.stream(self.json(Method::POST, path, body)).await
    }

    pub async fn stream(&self, request: Request<Full<Bytes>>) -> Stream {
        self.try_stream(request).await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    pub async fn try_stream(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Stream> {
        let response = self.open(request).await?;
        let (head, body) = response.into_parts();
        if head.status != 200 {
            let body = soon(&head, body.collect()).await?.to_bytes();
            anyhow::bail!("{} {}", head.status, String::from_utf8_lossy(&body));
        }
        assert!(head.headers["content-type"].to_str()?.starts_with("text/event-stream"));
        Ok(Stream::new(body))
    }

    async fn open(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>> {
        let stream = TcpStream::connect(self.addr).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the response's body, or when that is dropped: then the server sees its client leave.
        tokio::spawn(connection);
        let what = format!("an answer to {} {}", request.method(), request.uri());
        Ok(soon(what, sender.send_request(request)).await?)
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of an answer with that status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// What stands inside the one envelope, of that status and code.
    pub fn error(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        let error = body["error"].clone();
        assert_eq!(error["code"], code, "{body}");
        assert!(error["type"].is_string(), "{body}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{body}");
        assert!(error.get("param").is_some(), "{body}");
        assert!(self.headers.contains_key("x-request-id"), "{body}");
        error
    }
}
