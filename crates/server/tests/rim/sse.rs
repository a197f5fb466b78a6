use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue};
use prometheus_client::metrics::gauge::Gauge;
use serde_json::json;
use serde_json::value::RawValue;
use server::sse::{Cursor, Frame, Id, KEEP_ALIVE, Streams, after};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[test]
fn a_frame_is_written_as_the_format_wants() {
    let mut out = BytesMut::new();
    let cursor = Id::Cursor(Cursor { epoch: 1, seq: 4_294_967_295 });
    let data = json!({"text": "a\nb\r\u{2028}"});
    Frame { id: cursor, event: "message.delta", data: &data }.write(&mut out).unwrap();
    Frame { id: Id::Text("x_1"), event: "reset", data: &() }.write(&mut out).unwrap();
    let raw = RawValue::from_string("{\"a\":1}".to_owned()).unwrap();
    Frame { id: Id::None, event: "turn.queued", data: &*raw }.write(&mut out).unwrap();
    assert_eq!(
        std::str::from_utf8(&out).unwrap(),
        "id: 1.4294967295\nevent: message.delta\ndata: {\"text\":\"a\\nb\\r\u{2028}\"}\n\n\
         id: x_1\nevent: reset\ndata: null\n\n\
         event: turn.queued\ndata: {\"a\":1}\n\n"
    );
}

#[test]
fn a_frame_that_cannot_be_written_leaves_nothing_behind() {
    let mut out = BytesMut::from("before");
    let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(Frame { id: Id::None, event: "e", data: &odd }.write(&mut out).is_err());
    assert_eq!(out, "before");
}

#[test]
fn a_cursor_is_two_numbers_and_nothing_else() {
    assert_eq!("1.42".parse::<Cursor>().unwrap(), Cursor { epoch: 1, seq: 42 });
    assert_eq!("0.0".parse::<Cursor>().unwrap().to_string(), "0.0");
    for bad in [
        "",
        ".",
        "1",
        "1.",
        ".1",
        "1.2.3",
        "+1.2",
        "1.-2",
        " 1.2",
        "1.2 ",
        "4294967296.0",
        "1.4294967296",
        "a.b",
        "1,2",
        "１.2",
    ] {
        assert_eq!(bad.parse::<Cursor>().unwrap_err().code(), "invalid_cursor", "{bad}");
    }
}

#[test]
fn the_header_wins_over_the_address() {
    let mut headers = HeaderMap::new();
    assert_eq!(after(&headers, None).unwrap(), None);
    assert_eq!(after(&headers, Some("1.2")).unwrap(), Some(Cursor { epoch: 1, seq: 2 }));
    assert_eq!(after(&headers, Some("x")).unwrap_err().detail().param.as_deref(), Some("after"));
    headers.insert("last-event-id", HeaderValue::from_static(""));
    assert_eq!(after(&headers, Some("1.2")).unwrap(), Some(Cursor { epoch: 1, seq: 2 }));
    headers.insert("last-event-id", HeaderValue::from_static("3.4"));
    assert_eq!(after(&headers, Some("1.2")).unwrap(), Some(Cursor { epoch: 3, seq: 4 }));
    headers.insert("last-event-id", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(after(&headers, Some("1.2")).unwrap_err().detail().param.as_deref(), Some("last-event-id"));
}

#[tokio::test]
async fn frames_go_out_as_they_came_and_the_headers_keep_proxies_off() {
    let streams = streams();
    let frames = ["a\n\n", "b\n\nc\n\n"].map(|frame| Bytes::from_static(frame.as_bytes()));
    let response = streams.answer(stream::iter(frames.clone()));
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-accel-buffering"), "no");
    assert_eq!(streams.open.get(), 1);

    let sent: Vec<Bytes> = response.into_body().into_data_stream().map(Result::unwrap).collect().await;
    assert_eq!(sent, frames);
    assert_eq!(streams.open.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_every_15_seconds() {
    let mut sent = data(streams().answer(stream::pending()));
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(sent.next().await.unwrap(), ": keep-alive\n\n");
        assert!(start.elapsed().abs_diff(KEEP_ALIVE) < Duration::from_millis(10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_speaks_needs_no_keep_alive() {
    let frames = stream::unfold(0, |n| async move {
        let wait = if n < 5 { 10 } else { 100 };
        tokio::time::sleep(Duration::from_secs(wait)).await;
        Some((Bytes::from_static(b"x"), n + 1))
    });
    let mut sent = data(streams().answer(frames));
    for _ in 0..5 {
        assert_eq!(sent.next().await.unwrap(), "x");
    }
    let start = Instant::now();
    assert_eq!(sent.next().await.unwrap(), ": keep-alive\n\n");
    assert!(start.elapsed().abs_diff(KEEP_ALIVE) < Duration::from_millis(10));
}

#[tokio::test]
async fn the_stop_ends_a_stream_once_what_was_there_has_gone_out() {
    let streams = streams();
    let mut silent = data(streams.answer(stream::pending()));
    let last_words = stream::iter(["a", "b"]).map(|text| Bytes::from_static(text.as_bytes()));
    let mut busy = data(streams.answer(last_words.chain(stream::pending())));
    assert!(silent.next().now_or_never().is_none());
    streams.stop.cancel();
    assert!(silent.next().await.is_none());
    assert_eq!(busy.next().await.unwrap(), "a");
    assert_eq!(busy.next().await.unwrap(), "b");
    assert!(busy.next().await.is_none());
    drop((silent, busy));
    assert_eq!(streams.open.get(), 0);
}

fn streams() -> Streams {
    Streams { keep_alive: KEEP_ALIVE, stop: CancellationToken::new(), open: Gauge::default() }
}

fn data(response: Response<Body>) -> impl Stream<Item = Bytes> + Unpin {
    response.into_body().into_data_stream().map(Result::unwrap)
}
