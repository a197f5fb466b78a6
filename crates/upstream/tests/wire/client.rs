//! A client that shows every byte.

use std::io;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use upstream::Upstream;

pub struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Client {
    pub async fn connect(upstream: &Upstream) -> Client {
        let stream = TcpStream::connect(upstream.addr()).await.expect("the upstream listens");
        Client { stream, seen: Vec::new() }
    }

    pub async fn send(&mut self, body: &Value) {
        self.post("/v1/chat/completions", body).await;
    }

    pub async fn post(&mut self, path: &str, body: &Value) {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
        self.write(&(head + &body)).await;
    }

    pub async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("the upstream reads");
    }

    /// Everything up to and including `end`.
    pub async fn read_until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.seen.windows(end.len()).position(|window| window == end.as_bytes()) {
                let rest = self.seen.split_off(at + end.len());
                return text(std::mem::replace(&mut self.seen, rest));
            }
            let read = self.stream.read_buf(&mut self.seen).await.expect("the upstream writes");
            assert!(read > 0, "closed before {end:?}, after {:?}", String::from_utf8_lossy(&self.seen));
        }
    }

    /// Everything up to the end of the connection, and how it ended.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, io::Result<()>) {
        let ending = self.stream.read_to_end(&mut self.seen).await.map(drop);
        (std::mem::take(&mut self.seen), ending)
    }

    /// The body of a chunked answer, framing removed.
    pub async fn read_stream(&mut self) -> String {
        self.read_until("\r\n\r\n").await;
        let mut body = String::new();
        loop {
            let size = self.read_until("\r\n").await;
            let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
            let chunk = self.read_exactly(size + 2).await;
            if size == 0 {
                return body;
            }
            body += &chunk[..size];
        }
    }

    /// The body of an answer with a length.
    pub async fn read_whole(&mut self) -> (String, String) {
        let head = self.read_until("\r\n\r\n").await;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length = length.expect("a length").parse().expect("a number");
        (head, self.read_exactly(length).await)
    }

    async fn read_exactly(&mut self, bytes: usize) -> String {
        while self.seen.len() < bytes {
            assert!(self.stream.read_buf(&mut self.seen).await.expect("the upstream writes") > 0);
        }
        let rest = self.seen.split_off(bytes);
        text(std::mem::replace(&mut self.seen, rest))
    }
}

pub fn user(text: &str, stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": text}]})
}

/// The JSON of each `data:` line, `[DONE]` aside.
pub fn chunks(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}
