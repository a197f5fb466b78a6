//! Connections: reused, given up, and closed the moment a reply is dropped.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use provider::{Dial, DialError, Providers, Settings, Socket, Tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
};
use upstream::{Script, Step, Upstream};

use crate::helpers::*;

/// Counts what it dials.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<String>>>);

impl Dial for Counting {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, Result<Box<dyn Socket>, DialError>> {
        self.0.lock().unwrap().push(format!("{host}:{port}"));
        Tcp::default().dial(host, port)
    }
}

impl Counting {
    fn providers(&self, rest: Duration) -> Providers {
        Providers::new(Settings { dial: Arc::new(self.clone()), rest, ..settings() }).unwrap()
    }

    fn dialled(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    upstream.respond(|_| Script::text("a b c"));
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    for _ in 0..5 {
        assert_eq!(ask(&providers, &target).await.whole().text(), "a b c");
    }
    assert_eq!(counting.dialled(), 1);
}

#[tokio::test]
async fn an_end_mark_that_dawdles_does_not_cost_the_connection() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    upstream.respond(|_| {
        Script::sse().then(Step::body([&said("a"), DONE].concat())).then(Step::Flush).then(Step::gate("end"))
    });
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    // Whole at once, while the upstream still holds the last HTTP chunk back.
    assert_eq!(ask(&providers, &target).await.whole().text(), "a");
    upstream.open("end");
    upstream.wait_for_completed(1).await;
    // Each call either dials or takes a connection that one before it left.
    for _ in 0..100 {
        ask(&providers, &target).await.whole();
        if upstream.received() > counting.dialled() {
            return;
        }
    }
    panic!("no connection was used again");
}

#[tokio::test]
async fn calls_side_by_side_have_connections_of_their_own() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    upstream.respond(|_| Script::deltas(["a", "b"]).at(1, Step::gate("half")));
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(read(call(&providers, &target)))).collect();
    upstream.wait_at_gate("half", 5).await;
    upstream.open("half");
    for call in calls {
        assert_eq!(call.await.unwrap().whole().text(), "ab");
    }
    assert_eq!(counting.dialled(), 5);
}

#[tokio::test]
async fn of_those_that_rest_the_oldest_makes_room_wherever_it_leads() {
    let (first, second, counting) = (Upstream::start().await, Upstream::start().await, Counting::default());
    let settings = Settings { dial: Arc::new(counting.clone()), rest: LONG, resting_max: 2, ..settings() };
    let providers = Providers::new(settings).unwrap();
    let two_at_once = async |gate: &'static str| {
        first.respond(move |_| Script::deltas(["a", "b"]).at(1, Step::gate(gate)));
        let calls: Vec<_> = (0..2).map(|_| tokio::spawn(read(call(&providers, &target(&first.base_url()))))).collect();
        first.wait_at_gate(gate, 2).await;
        first.open(gate);
        for call in calls {
            call.await.unwrap().whole();
        }
    };
    two_at_once("once").await;
    assert_eq!(counting.dialled(), 2);
    second.respond(|_| Script::text("c"));
    ask(&providers, &target(&second.base_url())).await.whole();
    assert_eq!(counting.dialled(), 3);
    ask(&providers, &target(&second.base_url())).await.whole();
    assert_eq!(counting.dialled(), 3, "the last one rests");
    first.respond(|_| Script::text("a"));
    ask(&providers, &target(&first.base_url())).await.whole();
    assert_eq!(counting.dialled(), 3, "one of the first two as well");
    two_at_once("again").await;
    assert_eq!(counting.dialled(), 4, "the other has gone");
}

#[tokio::test]
async fn dropping_a_reply_closes_its_connection() {
    let upstream = Upstream::start().await;
    let (providers, target) = (providers(), target(&upstream.base_url()));
    for script in [
        Script::text("a").before_head(Step::gate("never")),
        Script::text("a").at(0, Step::gate("never")),
        Script::deltas(["a", "b"]).at(1, Step::gate("never")),
    ] {
        upstream.respond(move |_| script.clone());
        let (before, number) = (upstream.requests().len(), upstream.received() + 1);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut reply = call(&providers, &target);
        let reading = tokio::spawn(async move {
            tokio::select! {
                _ = async { while let Some(Ok(_)) = reply.next().await {} } => panic!("it cannot end"),
                _ = stopped => drop(reply),
            }
        });
        upstream.wait_at_gate("never", 1).await;
        stop.send(()).unwrap();
        reading.await.unwrap();
        upstream.wait_for_left(number).await;
        assert_eq!(upstream.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn asking_and_giving_up_loses_nothing() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::text("one two three four five").reasoning("hm hm").chunks_of(3));
    let (providers, target) = (providers(), target(&upstream.base_url()));
    let uncut = ask(&providers, &target).await.whole();
    let mut reply = call(&providers, &target);
    let mut deltas = Vec::new();
    loop {
        // Each future is polled once and dropped.
        match reply.next().now_or_never() {
            None => tokio::task::yield_now().await,
            Some(None) => break,
            Some(Some(delta)) => deltas.push(delta.unwrap()),
        }
    }
    assert_eq!(deltas, uncut.deltas);
}

#[tokio::test]
async fn a_reply_that_is_never_asked_sends_nothing() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    drop(call(&counting.providers(LONG), &target(&upstream.base_url())));
    assert_eq!((counting.dialled(), upstream.received()), (0, 0));
}

#[tokio::test]
async fn a_failed_answer_leaves_no_connection_behind() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    upstream.respond_each([Script::sse().then(Step::data("garbage")).then(Step::Hang), Script::text("a")]);
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    ask(&providers, &target).await.failed();
    upstream.wait_for_left(1).await;
    ask(&providers, &target).await.whole();
    assert_eq!(counting.dialled(), 2);
}

/// Serves `answers` to one connection after the other: so many answers each, then it waits to be told and closes without
/// a word, the request to come unanswered.
async fn closing(answers: &'static [usize]) -> (String, watch::Sender<bool>, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let (close, told) = watch::channel(false);
    let serving = tokio::spawn(async move {
        let mut requests = 0;
        for &answers in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            for _ in 0..answers {
                requests += request(&mut socket).await;
                let body = [&said("a"), STOP, DONE].concat();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                socket.write_all([head, body].concat().as_bytes()).await.unwrap();
            }
            let _ = told.clone().wait_for(|close| *close).await;
            // The request that crosses the close.
            requests += request(&mut socket).await;
        }
        requests
    });
    (base_url, close, serving)
}

/// 1 for a whole request, 0 for the end.
async fn request(socket: &mut tokio::net::TcpStream) -> usize {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.ends_with(b"\"stream_options\":{\"include_usage\":true}}") {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return 0,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    1
}

#[tokio::test]
async fn a_connection_that_closes_as_it_is_used_again_costs_nothing() {
    let (base_url, close, serving) = closing(&[1, 1]).await;
    let counting = Counting::default();
    let (providers, target) = (counting.providers(LONG), target(&base_url));
    ask(&providers, &target).await.whole();
    close.send(true).unwrap();
    // The old connection takes the request and closes; the same call goes out once more on a new one.
    ask(&providers, &target).await.whole();
    assert_eq!(counting.dialled(), 2);
    drop((providers, close));
    assert_eq!(serving.await.unwrap(), 3);
}

#[tokio::test]
async fn a_used_connection_that_closes_over_the_request_is_a_failure() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    let dies = Script::raw().before_head(Step::gate("at work")).then(Step::Close);
    upstream.respond_each([Script::text("a"), dies]);
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    ask(&providers, &target).await.whole();
    let dying = tokio::spawn(read(call(&providers, &target)));
    upstream.wait_at_gate("at work", 1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    upstream.open("at work");
    dying.await.unwrap().failed();
    assert_eq!((counting.dialled(), upstream.received()), (1, 2), "it is not sent again");
}

#[tokio::test]
async fn a_new_connection_that_closes_is_a_failure() {
    let (base_url, close, _serving) = closing(&[0, 0]).await;
    close.send(true).unwrap();
    let counting = Counting::default();
    ask(&counting.providers(LONG), &target(&base_url)).await.failed();
    assert_eq!(counting.dialled(), 1);
}

#[tokio::test]
async fn a_connection_rests_only_so_long() {
    let (base_url, close, serving) = closing(&[1]).await;
    close.send(true).unwrap();
    let providers = Counting::default().providers(Duration::from_millis(50));
    ask(&providers, &target(&base_url)).await.whole();
    // The server has the connection closed from our side, without another request.
    assert_eq!(serving.await.unwrap(), 1);
}

#[tokio::test]
async fn an_upstream_that_restarts_is_called_anew() {
    let (upstream, counting) = (Upstream::start().await, Counting::default());
    upstream.respond(|_| Script::text("a"));
    let (providers, target) = (counting.providers(LONG), target(&upstream.base_url()));
    ask(&providers, &target).await.whole();
    upstream.restart().await;
    ask(&providers, &target).await.whole();
    assert_eq!(counting.dialled(), 2);
}
