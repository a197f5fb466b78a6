//! SIGTERM: what runs comes to its end, and nothing keeps the process for ever.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use upstream::{Script, Step};

use crate::support::{Lab, eventually, text, turn_id};

/// Not what an idle machine needs, but far from the 20 s that running turns are given by default.
const SOON: Duration = Duration::from_secs(15);

/// The server has heard the signal when it takes no more connections.
async fn heard(lab: &Lab) {
    let addr = lab.server.addr();
    let closed = async || tokio::net::TcpStream::connect(addr).await.is_err().then_some(());
    eventually("the listener to close", closed).await;
}

#[tokio::test]
async fn running_turns_end_and_their_streams_get_the_final_event() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["Hel", "lo"]).at(1, Step::gate("half")));
    let body = json!({"message": "hi", "session_id": null, "stream": true});
    let mut stream = lab.client.post_stream("/chat", &body).await;
    stream.until("message.delta").await;
    lab.upstream.wait_at_gate("half", 1).await;

    lab.server.terminate();
    heard(&lab).await;
    lab.upstream.open("half");

    let rest = stream.rest().await;
    let last = rest.last().unwrap();
    assert_eq!(last.name, "turn.completed");
    assert_eq!(last.data["message"]["content"], "Hello");
    assert_eq!(lab.server.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_hung_upstream_does_not_hold_the_shutdown_beyond_its_deadline() {
    let mut lab = Lab::with(&["--shutdown-ms", "300"]).await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "says something" => Script::deltas(["some", "thing"]).at(1, Step::Hang),
        _ => Script::raw().then(Step::Hang),
    });
    let said = json!({"message": "says something", "stream": true});
    let mut said = lab.client.post_stream("/chat", &said).await;
    let said_turn = turn_id(&said.until("message.delta").await[0].data);
    let mut watchers = Vec::new();
    for _ in 0..30 {
        watchers.push(lab.client.follow(&format!("/turns/{said_turn}/events")).await);
    }
    let silent = json!({"message": "says nothing", "wait": false});
    let silent = turn_id(&lab.client.post("/chat", &silent).await.expect(202));
    lab.upstream.wait_for_requests(2).await;

    let begun = Instant::now();
    lab.server.terminate();
    watchers.push(said);
    for mut watcher in watchers {
        let rest = watcher.rest().await;
        let last = rest.last().unwrap();
        assert_eq!((last.name.as_str(), &last.data["reason"]), ("turn.incomplete", &json!("interrupted")));
        assert_eq!(last.data["message"]["content"], "some");
    }
    assert_eq!(lab.server.exit().await.code(), Some(0));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    // The one that had said nothing runs again; the other keeps what it said.
    lab.upstream.respond(|_| Script::text("now I answer"));
    lab.restart().await;
    assert_eq!(lab.ended(&silent).await["message"]["content"], "now I answer");
    assert_eq!(lab.turn(&said_turn).await["status"], "incomplete");
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["some", "thing"]).at(1, Step::Hang));
    let body = json!({"message": "hi", "stream": true});
    let mut stream = lab.client.post_stream("/chat", &body).await;
    stream.until("message.delta").await;

    lab.server.terminate();
    heard(&lab).await;
    assert!(!lab.server.has_exited(), "20 s of patience are the default");
    let begun = Instant::now();
    lab.server.terminate();
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().name, "turn.incomplete");
    assert_eq!(text(&rest), "");
    assert_eq!(lab.server.exit().await.code(), Some(0));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn followers_of_the_feed_and_idle_connections_do_not_hold_the_shutdown() {
    let mut lab = Lab::start().await;
    let mut feed = lab.client.follow("/events").await;
    let _idle = tokio::net::TcpStream::connect(lab.server.addr()).await.unwrap();
    lab.server.terminate();
    assert_eq!(feed.rest().await, []);
    assert_eq!(lab.server.exit_within(SOON).await.code(), Some(0));
}

#[tokio::test]
async fn queued_turns_stay_queued_and_run_after_the_next_start() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("answer").before_head(Step::gate("go")));
    lab.session("s").await;
    let first = lab.send("s", "one").await;
    let second = lab.send("s", "two").await;
    lab.upstream.wait_at_gate("go", 1).await;
    lab.server.terminate();
    heard(&lab).await;
    lab.upstream.open("go");
    assert_eq!(lab.server.exit().await.code(), Some(0));
    assert_eq!(lab.upstream.received(), 1, "a server that stops starts no turn");

    lab.restart().await;
    assert_eq!(lab.ended(&first).await["status"], "completed");
    assert_eq!(lab.ended(&second).await["status"], "completed");
    let words: Vec<String> = lab.messages("s").await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(words, ["one", "answer", "two", "answer"]);
}

#[tokio::test]
async fn who_waits_for_a_queued_turn_is_told_that_it_is_kept() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("answer").before_head(Step::gate("go")));
    lab.session("s").await;
    let first = lab.send("s", "one").await;
    lab.upstream.wait_at_gate("go", 1).await;
    let waits = |path: &'static str, body: Value| {
        let client = lab.client.clone();
        tokio::spawn(async move { client.post(path, &body).await })
    };
    let native = waits("/chat", json!({"message": "two", "session_id": "s"}));
    let stock = waits("/v1/responses", json!({"input": "three", "conversation": "conv_s"}));
    let queued = async || (lab.client.get("/sessions/s").await.expect(200)["queued"] == 2).then_some(());
    eventually("both to wait", queued).await;

    lab.server.terminate();
    heard(&lab).await;
    lab.upstream.open("go");
    for waiting in [native, stock] {
        let answer = waiting.await.unwrap();
        let error = answer.error(503, "shutting_down");
        assert_eq!(answer.headers["x-should-retry"], "false", "{error}");
        assert!(error["turn_id"].is_string(), "{error}");
    }
    assert_eq!(lab.server.exit().await.code(), Some(0));

    lab.restart().await;
    assert_eq!(lab.ended(&first).await["status"], "completed");
    let six = async || (lab.messages("s").await.len() == 6).then_some(());
    eventually("what was kept to be answered", six).await;
}
