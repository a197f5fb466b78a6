//! Over real sockets: what only the accept loop can get right.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Extension;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use prometheus_client::metrics::gauge::Gauge;
use serde_json::Value;
use server::accept::{Accept, Peer, Stop};
use server::body::{Body, Limits};
use server::sse::Streams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::around;

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let server = Server::start(Accept { first_byte_timeout: SHORT, ..Accept::default() }).await;
    let (mut client, start) = (server.connect().await, Instant::now());
    assert_eq!(read_to_end(&mut client).await, "");
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let server = Server::start(Accept { header_timeout: SHORT, ..Accept::default() }).await;
    let (mut client, start) = (server.connect().await, Instant::now());
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let mut byte = [0];
    // Each pass waits a little for the close and, not having seen it, sends one byte more.
    while let Err(_elapsed) = timeout(Duration::from_millis(10), client.read(&mut byte)).await {
        assert!(start.elapsed() < LONG, "still open");
        if client.write_all(b"x").await.is_err() {
            break;
        }
    }
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_connection_is_kept_between_requests_but_not_for_ever() {
    let server = Server::start(Accept { header_timeout: SHORT, ..Accept::default() }).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.write_all(GET).await.unwrap();
        assert!(read_answer(&mut client).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn handlers_know_the_peer_and_open_connections_are_counted() {
    let server = Server::start(Accept::default()).await;
    assert_eq!(server.open.get(), 0);
    let mut client = server.connect().await;
    client.write_all(b"GET /peer HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(read_answer(&mut client).await.ends_with(&client.local_addr().unwrap().to_string()));
    assert_eq!(server.open.get(), 1);
    let open = server.open.clone();
    drop(client);
    server.stop().await;
    assert_eq!(open.get(), 0);
}

#[tokio::test]
async fn when_full_the_next_connection_waits_its_turn() {
    let server = Server::start(Accept { connections_max: 1, ..Accept::default() }).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.write_all(GET).await.unwrap();
    assert!(read_answer(&mut first).await.starts_with("HTTP/1.1 200"));
    second.write_all(GET).await.unwrap();
    assert!(timeout(SHORT, second.readable()).await.is_err(), "answered although full");
    assert_eq!(server.open.get(), 1);
    drop(first);
    assert!(read_answer(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_soft_stop_lets_the_present_answer_finish_and_ends_idle_connections() {
    let server = Server::start(Accept { first_byte_timeout: LONG * 2, ..Accept::default() }).await;
    let (mut busy, mut idle, mut fresh) = (server.connect().await, server.connect().await, server.connect().await);
    idle.write_all(GET).await.unwrap();
    read_answer(&mut idle).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.started.notified().await;

    server.stop.soft.cancel();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(read_to_end(&mut fresh).await, "");
    assert!(!server.task.is_finished());
    server.go_on.notify_one();
    let answer = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("slow"), "{answer}");
    let addr = server.addr;
    timeout(LONG, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_hard_stop_ends_everything() {
    let server = Server::start(Accept::default()).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.started.notified().await;
    server.stop.soft.cancel();
    server.stop.hard.cancel();
    timeout(LONG, server.task).await.unwrap().unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_a_431() {
    let server = Server::start(Accept::default()).await;
    let many = "a: b\r\n".repeat(100_000);
    let more_than_100 = "a: b\r\n".repeat(101);
    let large = format!("a: {}\r\n", "b".repeat(1 << 20));
    for headers in [many, more_than_100, large] {
        let mut client = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let _closed_early = client.write_all(head.as_bytes()).await;
        let answer = read_to_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?} for {} bytes", head.len());
    }
    let mut client = server.connect().await;
    client.write_all(b"GET not-http\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_huge_body_is_refused_and_the_refusal_arrives() {
    let server = Server::start(Accept::default()).await;
    let with_length = format!("{POST}content-length: 1000000000\r\n\r\n");
    let chunked = format!("{POST}transfer-encoding: chunked\r\n\r\n{:x}\r\n", 1_000_000_000);
    for head in [with_length, chunked] {
        let mut client = server.connect().await;
        client.write_all(head.as_bytes()).await.unwrap();
        // More than the limit of the body, less than what is taken in after the refusal.
        let body = vec![b' '; 12 << 20];
        client.write_all(&body).await.expect("cut off while sending, and so perhaps before reading the answer");
        let answer = read_to_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_need_not_send_what_is_too_large() {
    let server = Server::start(Accept::default()).await;
    let mut client = server.connect().await;
    let head = format!("{POST}expect: 100-continue\r\ncontent-length: 1000000000\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_length_beside_chunks_hides_no_second_request() {
    let server = Server::start(Accept::default()).await;
    for lengths in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let mut client = server.connect().await;
        let request = format!("{POST}connection: close\r\n{lengths}\r\n\r\n7\r\n{{\"a\":1}}\r\n0\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"a\":1}"), "{answer}");
    }
    for lengths in [
        "content-length: 3\r\ncontent-length: 4",
        "content-length: -1",
        "content-length: +3",
        "transfer-encoding: gzip",
    ] {
        let mut client = server.connect().await;
        client.write_all(format!("{POST}{lengths}\r\n\r\n{{}}").as_bytes()).await.unwrap();
        let answer = read_to_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lengths}: {answer}");
    }
}

#[tokio::test]
async fn a_body_of_one_byte_at_a_time_ends_with_a_408() {
    let server = Server::start(Accept::default()).await;
    let mut client = server.connect().await;
    client.write_all(format!("{POST}content-length: 1000\r\n\r\n{{").as_bytes()).await.unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn a_client_that_leaves_frees_what_was_made_for_it() {
    let mut server = Server::start(Accept::default()).await;
    for path in ["/events", "/never"] {
        let mut client = server.connect().await;
        client.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        server.started.notified().await;
        drop(client);
        timeout(LONG, server.dropped.recv()).await.expect(path);
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_is_given_up() {
    let mut server = Server::start(Accept { write_timeout: SHORT, ..Accept::default() }).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /flood HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    timeout(LONG, server.dropped.recv()).await.unwrap();
    drop(client);
}

#[tokio::test]
async fn a_stop_ends_event_streams() {
    let server = Server::start(Accept::default()).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.started.notified().await;
    server.streams_stop.cancel();
    server.stop.soft.cancel();
    assert!(read_to_end(&mut client).await.ends_with("0\r\n\r\n"), "the body did not end in order");
    timeout(LONG, server.task).await.unwrap().unwrap();
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

struct Server {
    addr: SocketAddr,
    stop: Stop,
    streams_stop: CancellationToken,
    open: Gauge,
    task: JoinHandle<()>,
    /// A handler that takes long has begun.
    started: Arc<Notify>,
    go_on: Arc<Notify>,
    /// What a handler holds was dropped.
    dropped: mpsc::Receiver<()>,
}

impl Server {
    async fn start(accept: Accept) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, open, streams_stop) = (Stop::default(), Gauge::default(), CancellationToken::new());
        let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (held, dropped) = mpsc::channel(8);
        let router = router(&started, &go_on, held, streams_stop.clone());
        #[expect(clippy::disallowed_methods, reason = "each test waits for it or ends with it")]
        let task = tokio::spawn(accept.serve(listener, router, stop.clone(), open.clone()));
        Self { addr, stop, streams_stop, open, task, started, go_on, dropped }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn stop(self) {
        self.stop.soft.cancel();
        timeout(LONG, self.task).await.unwrap().unwrap();
    }
}

/// Tells the test when it is dropped.
struct Held(mpsc::Sender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        let _full = self.0.try_send(());
    }
}

fn router(started: &Arc<Notify>, go_on: &Arc<Notify>, held: mpsc::Sender<()>, stop: CancellationToken) -> Router {
    let streams = Streams { keep_alive: LONG, stop, open: Gauge::default() };
    let endless = move |started: Arc<Notify>, frame: &'static [u8], busy: bool| {
        let held = Held(held.clone());
        let frames = stream::once(async move {
            started.notify_one();
            Bytes::from_static(frame)
        });
        let rest = if busy { stream::repeat(Bytes::from_static(frame)).boxed() } else { stream::pending().boxed() };
        frames.chain(rest).map(move |frame| {
            let _held = &held;
            frame
        })
    };
    let (started, go_on) = (started.clone(), go_on.clone());
    let flood = (endless.clone(), streams.clone(), started.clone());
    let events = (endless.clone(), streams, started.clone());
    let never = (endless, started.clone());
    let router = Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/", post(|body: Body<Value>| async { Json(body.value) }))
        .route("/peer", get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() }))
        .route(
            "/slow",
            get(move || async move {
                started.notify_one();
                go_on.notified().await;
                "slow"
            }),
        )
        .route("/events", get(move || async move { events.1.answer((events.0)(events.2, b"data: x\n\n", false)) }))
        .route("/flood", get(move || async move { flood.1.answer((flood.0)(flood.2, &[b'x'; 65_536], true)) }))
        .route(
            "/never",
            get(move || async move {
                let mut frames = std::pin::pin!((never.0)(never.1, b"", false));
                frames.next().await;
                frames.next().await;
            }),
        )
        .layer(Extension(Limits { body_timeout: SHORT * 20, ..Limits::default() }));
    around(router)
}

/// One answer with a content-length.
async fn read_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return text;
            }
        }
        let read = timeout(LONG, client.read_buf(&mut answer)).await.expect("no answer").unwrap();
        assert!(read > 0, "closed after {text:?}");
    }
}

/// Everything until the server closes; a reset counts as a close.
async fn read_to_end(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _reset = timeout(LONG, client.read_to_end(&mut answer)).await.expect("still open");
    String::from_utf8_lossy(&answer).into_owned()
}
