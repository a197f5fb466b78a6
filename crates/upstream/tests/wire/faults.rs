//! The abuse that a script can express.

use std::{io::ErrorKind, time::Duration};

use serde_json::json;
use upstream::{Request, Script, Step, Upstream};

use crate::client::{Client, chunks, user};

#[tokio::test]
async fn an_error_has_its_status_headers_and_body() {
    let upstream = Upstream::start().await;
    upstream.respond_each([
        Script::error(429, "rate_limit_exceeded", "slow down").header("retry-after", "-1"),
        Script::status(502).body("text/html", "<h1>Bad gateway</h1>"),
        Script::text("ok").header("content-type", "text/plain"),
    ]);
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    let (head, body) = client.read_whole().await;
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
    assert!(head.contains("retry-after: -1\r\n"));
    assert!(body.contains("slow down"));

    client.send(&user("q", true)).await;
    assert_eq!(client.read_whole().await.1, "<h1>Bad gateway</h1>");

    client.send(&user("q", true)).await;
    let head = client.read_until("\r\n\r\n").await;
    assert!(head.contains("content-type: text/plain") && !head.contains("event-stream"));
}

#[tokio::test]
async fn raw_bytes_arrive_exactly() {
    let upstream = Upstream::start().await;
    let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata: \xff\xed\xa0\x80";
    upstream.respond(move |_| Script::raw().then(Step::raw(bytes)).then(Step::Close));
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    let (seen, ending) = client.read_to_end().await;
    assert_eq!(seen, bytes);
    assert!(ending.is_ok());
    upstream.wait_for_completed(1).await;
    assert_eq!(upstream.requests()[0].bytes_sent, bytes.len() as u64);
}

#[tokio::test]
async fn a_body_can_be_cut_at_every_byte() {
    let script = Script::text("你好").no_done();
    let body = script.body_bytes(&Request::sample(&user("q", true)));
    for cut in 0..body.len() {
        let script = script.clone();
        // A fresh server each: the request's number is in the body, and a sample's is 1.
        let upstream = Upstream::start().await;
        upstream.respond(move |_| script.clone().cut_at(cut, Step::Reset));
        let mut client = Client::connect(&upstream).await;
        client.send(&user("q", true)).await;
        let (seen, ending) = client.read_to_end().await;
        assert_eq!(ending.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
        let seen = dechunk(&seen);
        assert_eq!(seen, body[..cut], "cut at {cut}");
    }
}

#[tokio::test]
async fn a_cut_inside_a_character_leaves_half_of_it() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::deltas(["a", "你"]).cut_inside("你", Step::Close));
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    let seen = client.read_to_end().await.0;
    assert!(dechunk(&seen).ends_with(b"\"content\":\"\xe4"));
}

#[tokio::test]
async fn chunks_can_be_as_small_as_one_byte() {
    let upstream = Upstream::start().await;
    let script = Script::text("你好").chunks_of(1).then(Step::End).then(Step::Close);
    let body = script.body_bytes(&Request::sample(&user("q", true)));
    upstream.respond(move |_| script.clone());
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    client.read_until("\r\n\r\n").await;
    let (seen, _) = client.read_to_end().await;
    assert_eq!(seen.len(), body.len() * "1\r\nx\r\n".len() + "0\r\n\r\n".len());
    assert!(seen.starts_with(b"1\r\nd\r\n1\r\na\r\n"));
}

#[tokio::test]
async fn lines_and_events_can_be_unusual() {
    let upstream = Upstream::start().await;
    upstream.respond_each([
        Script::text("x").crlf().no_space().finishes(&["stop", "length"]).at(9, Step::data(json!({"error": {}}))),
        Script::sse().then(Step::comment("hi")).then(Step::event("ping", "{}")).then(Step::data("[DONE]")),
    ]);
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    let body = client.read_stream().await;
    assert!(body.contains("data:{") && body.ends_with("data:[DONE]\r\n\r\n"));
    let chunks = chunks(&body);
    assert_eq!(chunks[2], json!({"error": {}}));
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "length");

    client.send(&user("q", true)).await;
    assert_eq!(client.read_stream().await, ": hi\n\nevent: ping\ndata: {}\n\ndata: [DONE]\n\n");
}

#[tokio::test]
async fn a_stream_can_be_endless() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::sse().then(Step::Repeat("a".repeat(1000).into(), u64::MAX)));
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    client.read_until(&"a".repeat(1000)).await;
    drop(client);
    upstream.wait_for_left(1).await;
}

#[tokio::test]
async fn delays_come_where_they_are_set() {
    let upstream = Upstream::start().await;
    let delay = Duration::from_millis(30);
    upstream.respond(move |_| Script::deltas(["a", "b", "c"]).head_delay(delay).first_delay(delay).token_delay(delay));
    let mut client = Client::connect(&upstream).await;

    let begun = tokio::time::Instant::now();
    client.send(&user("q", true)).await;
    client.read_until("\r\n\r\n").await;
    assert!(begun.elapsed() >= delay);
    client.read_until("[DONE]").await;
    assert!(begun.elapsed() >= 4 * delay);

    let begun = tokio::time::Instant::now();
    let mut client = Client::connect(&upstream).await;
    client.send(&user("q", false)).await;
    client.read_whole().await;
    assert!(begun.elapsed() >= 4 * delay);
}

/// Bodies of whole chunks, the last one possibly open.
fn dechunk(seen: &[u8]) -> Vec<u8> {
    let head = seen.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let (mut rest, mut body) = (&seen[head..], Vec::new());
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk size");
        body.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = &rest[at + 4 + size..];
    }
    body
}
