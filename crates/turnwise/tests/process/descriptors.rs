//! Few file descriptors: clients wait for one another, and nothing that was begun suffers from those that come.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use upstream::{Script, Step};

use crate::support::{Lab, eventually, soon, turn_id};

const FILES: u64 = 64;

/// Comes to follow the feed, and stays until it is aborted.
async fn follow(addr: SocketAddr) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(format!("GET /events HTTP/1.1\r\nhost: {addr}\r\n\r\n").as_bytes()).await.unwrap();
    std::future::pending().await
}

/// One connection for several requests, made before there was a crowd.
struct Old(TcpStream);

impl Old {
    /// Gives status and body.
    async fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() >= length.parse().unwrap() {
                    return (head[9..12].parse().unwrap(), body.to_owned());
                }
            }
            let read = soon(format!("an answer to {method} {path}"), self.0.read_buf(&mut answer)).await.unwrap();
            assert!(read > 0, "closed after {text:?}");
        }
    }

    async fn gauge(&mut self, name: &str) -> u64 {
        let (_, metrics) = self.ask("GET", "/metrics", "").await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    }
}

fn open_files(lab: &Lab) -> u64 {
    std::fs::read_dir(format!("/proc/{}/fd", lab.server.pid())).unwrap().count() as u64
}

/// Time that the server's threads have had of a processor.
fn busy(lab: &Lab) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", lab.server.pid())).unwrap();
    let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    // SAFETY: takes a plain number.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as u64;
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() * 1000 / per_second)
}

#[tokio::test]
async fn a_crowd_of_connections_waits_and_takes_nothing_from_those_that_are_served() {
    let mut lab = Lab::with_files(FILES).await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "slow" => Script::deltas(["one ", "two"]).at(1, Step::gate("half")),
        _ => Script::text("an answer"),
    });
    let addr = lab.server.addr();
    let mut stream = lab.client.post_stream("/chat", &json!({"message": "slow", "stream": true})).await;
    stream.until("message.delta").await;
    let mut old = Old(TcpStream::connect(addr).await.unwrap());
    assert_eq!(old.ask("GET", "/ready", "").await.0, 200);

    let mut crowd = JoinSet::new();
    for _ in 0..200 {
        crowd.spawn(follow(addr));
    }
    // As many as can be served are, and the rest waits outside.
    let mut served = 0;
    eventually("the server to be full", async || {
        let (before, now) = (served, old.gauge("turnwise_http_connections_open").await);
        served = now;
        (now > 4 && now == before).then_some(())
    })
    .await;
    println!("{served} connections, {} of {FILES} files", open_files(&lab));
    assert!(served < FILES && open_files(&lab) < FILES);
    let (begun, window) = (busy(&lab), Duration::from_secs(1));
    tokio::time::sleep(window).await;
    let spent = busy(&lab) - begun;
    assert!(spent < window / 3, "it does not spin: {spent:?} in {window:?}");

    // Who is served notices nothing: storage, upstreams and the operator's door have what they need.
    for n in 0..20 {
        let sent = json!({"message": format!("message {n}")}).to_string();
        let (status, body) = old.ask("POST", "/chat", &sent).await;
        assert_eq!(status, 200, "{body}");
    }
    lab.upstream.open("half");
    assert_eq!(stream.rest().await.last().unwrap().name, "turn.completed");
    let keys = crate::support::Setup::new(&lab.home).run(&["keys", "list"]).await;
    assert!(keys.status.success(), "{}", String::from_utf8_lossy(&keys.stderr));

    drop(crowd);
    lab.client.post("/chat", &json!({"message": "and now?"})).await.expect(200);
    eventually("the crowd to be gone", async || (old.gauge("turnwise_http_connections_open").await <= 2).then_some(()))
        .await;
    lab.server.terminate();
    assert_eq!(lab.server.exit().await.code(), Some(0));
}

#[tokio::test]
async fn turns_that_find_no_descriptor_say_so_and_the_server_works_again_when_there_are_some() {
    let mut lab = Lab::with_files(FILES).await;
    lab.upstream.respond(|_| Script::text("an answer").before_head(Step::gate("go")));
    let mut old = Old(TcpStream::connect(lab.server.addr()).await.unwrap());
    // Turns that nobody is connected for, each with a call of its own, more than there are files.
    let mut turns = Vec::new();
    for n in 0..FILES {
        let sent = json!({"message": format!("message {n}"), "wait": false}).to_string();
        let (status, body) = old.ask("POST", "/chat", &sent).await;
        assert_eq!(status, 202, "{body}");
        turns.push(turn_id(&serde_json::from_str(&body).unwrap()));
    }
    let failed = async |old: &mut Old| old.gauge("turnwise_turns_total{status=\"failed\"}").await;
    eventually("the last ones to give up", async || {
        let ended = failed(&mut old).await;
        (ended > 0 && ended + lab.upstream.received() as u64 == FILES).then_some(())
    })
    .await;
    assert_eq!(old.ask("GET", "/ready", "").await.0, 200);

    lab.upstream.open("go");
    let mut completed = 0;
    for turn in &turns {
        let ended = lab.ended(turn).await;
        match ended["status"].as_str().unwrap() {
            "completed" => completed += 1,
            _ => assert_eq!(ended["error"]["code"], "upstream_unreachable", "{ended}"),
        }
    }
    assert!(completed > 4, "{completed}");
    lab.client.post("/chat", &json!({"message": "and now?"})).await.expect(200);
    lab.server.terminate();
    assert_eq!(lab.server.exit().await.code(), Some(0));
}
