//! One key makes one turn, whatever the network does to its client.

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Client, Lab, bytes, turn_id};

#[tokio::test]
async fn fifty_sends_at_once_under_one_key_make_one_turn_and_one_call() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("once").before_head(Step::gate("go")));
    lab.session("s").await;
    let client = lab.client.once("key-1");
    let sends = Vec::from_iter((0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.post("/chat", &json!({"session_id": "s", "message": "hi"})).await })
    }));
    lab.upstream.wait_at_gate("go", 1).await;
    lab.upstream.open("go");

    let mut answers = Vec::new();
    for send in sends {
        answers.push(send.await.unwrap().expect(200));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all answers are the same: {answers:#?}");
    assert_eq!(lab.upstream.received(), 1);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns"), 1);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_messages"), 2);
}

#[tokio::test]
async fn fifty_first_sends_under_one_key_make_one_session() {
    let lab = Lab::start().await;
    let client = lab.client.once("key-1");
    let sends = Vec::from_iter((0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.post("/chat", &json!({"message": "hi"})).await })
    }));
    let mut sessions = Vec::new();
    for send in sends {
        sessions.push(send.await.unwrap().expect(200)["session_id"].clone());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_sessions"), 1);
    assert_eq!(lab.upstream.received(), 1);
}

#[tokio::test]
async fn a_retry_that_streams_attaches_to_the_running_stream() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["a", "b"]).at(1, Step::gate("half")));
    let client = lab.client.once("key-1");
    let mut first = client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let mut seen = first.until("message.delta").await;
    let mut again = client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let mut seen_again = again.until("message.delta").await;
    // How the answer is wanted does not make another request, nor does the order of its fields.
    let at_once = client.post("/chat", &json!({"wait": false, "message": "hi"})).await.expect(202);
    assert_eq!(turn_id(&at_once), turn_id(&seen[0].data));
    assert_eq!(at_once["status"], "running");
    lab.upstream.open("half");

    seen.extend(first.rest().await);
    seen_again.extend(again.rest().await);
    assert_eq!(bytes(&seen_again), bytes(&seen));
    let after = client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await.rest().await;
    assert_eq!(bytes(&after), bytes(&seen));
    let whole = client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    assert_eq!(whole, seen.last().unwrap().data);
    assert_eq!(lab.upstream.received(), 1);
}

#[tokio::test]
async fn a_retry_of_a_failed_turn_gets_the_same_failure() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::error(401, "invalid_api_key", "no"));
    let client = lab.client.once("key-1");
    let first = client.post("/chat", &json!({"message": "hi"})).await;
    let again = client.post("/chat", &json!({"message": "hi"})).await;
    first.error(502, "upstream_key_rejected");
    assert_eq!(first.json(), again.json());
    assert_eq!(lab.upstream.received(), 1);
}

#[tokio::test]
async fn a_key_outlives_the_server() {
    let mut lab = Lab::start().await;
    let first = lab.client.once("key-1").post("/chat", &json!({"message": "hi"})).await.expect(200);
    lab.crash().await;
    let again = lab.client.once("key-1").post("/chat", &json!({"message": "hi"})).await.expect(200);
    assert_eq!(first, again);
    assert_eq!(lab.upstream.received(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_has_no_effect() {
    let lab = Lab::start().await;
    lab.session("s").await;
    let client = lab.client.once("key-1");
    client.post("/chat", &json!({"session_id": "s", "message": "hi"})).await.expect(200);
    let error =
        client.post("/chat", &json!({"session_id": "s", "message": "ho"})).await.error(422, "idempotency_key_reused");
    assert_eq!(error["param"], "idempotency-key");
    assert_eq!(lab.upstream.received(), 1);
    assert_eq!(lab.messages("s").await.len(), 2);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let lab = Lab::with(&["--queue-max", "1"]).await;
    lab.upstream.respond(|_| Script::text("ok").before_head(Step::gate("go")));
    let free = async |client: &Client, path: &str, bad: Value, status: u16, good: Value, then: u16| {
        assert_eq!(client.post(path, &bad).await.status, status, "{bad}");
        client.post(path, &good).await.expect(then)
    };
    let [a, b, c] = ["a", "b", "c"].map(|key| lab.client.once(key));
    let wait = |message: &str| json!({"session_id": "s", "message": message, "wait": false});
    // Not found, then found.
    assert_eq!(a.post("/chat", &wait("one")).await.status, 404);
    lab.session("s").await;
    a.post("/chat", &wait("one")).await.expect(202);
    // Invalid, busy, a full queue, another body: none of them takes the key.
    let two = free(&b, "/chat", json!({"session_id": "s", "message": ""}), 400, wait("two"), 202).await;
    let reject = json!({"session_id": "s", "message": "x", "if_busy": "reject"});
    assert_eq!(c.post("/chat", &reject).await.status, 409);
    c.post("/chat", &wait("three")).await.error(429, "queue_full");
    assert_eq!(a.post("/chat", &wait("other")).await.status, 422);
    lab.upstream.open("go");
    lab.ended(&turn_id(&two)).await;
    c.post("/chat", &wait("four")).await.expect(202);
    free(&lab.client.once("d"), "/sessions", json!({"id": "s"}), 409, json!({"id": "t"}), 201).await;
}

#[tokio::test]
async fn a_key_counts_for_one_path() {
    let lab = Lab::start().await;
    let client = lab.client.once("key-1");
    let turn = client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    let session = client.post("/sessions", &json!({"title": "t"})).await.expect(201);
    let (turn, first) = (turn_id(&turn), turn["session_id"].as_str().unwrap().to_owned());
    let retried = client.post(&format!("/turns/{turn}/retry"), &json!({})).await.expect(200);
    let forked = client.post(&format!("/sessions/{first}/fork"), &json!({"turn_id": turn})).await.expect(201);
    assert_ne!(session["id"], forked["id"]);
    assert_ne!(retried["turn_id"], turn.as_str());

    // Each of them again: the same things.
    let again = client.post("/sessions", &json!({"title": "t"})).await.expect(201);
    assert_eq!(again["id"], session["id"]);
    let again = client.post(&format!("/turns/{turn}/retry"), &json!({})).await.expect(200);
    assert_eq!(again, retried);
    let again = client.post(&format!("/turns/{turn}/retry"), &json!({"stream": false})).await.expect(200);
    assert_eq!(again, retried);
    let again = client.post(&format!("/sessions/{first}/fork"), &json!({"turn_id": turn})).await.expect(201);
    assert_eq!(again["id"], forked["id"]);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_sessions"), 3);
    assert_eq!(lab.upstream.received(), 2);
}

#[tokio::test]
async fn a_config_is_made_once_under_its_key_which_is_not_told_from_another_body() {
    let lab = Lab::start().await;
    let client = lab.client.once("key-1");
    let body = |key: &str| json!({"name": "c", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": key});
    let made = client.post("/configs", &body("sk-one")).await.expect(201);
    let again = client.post("/configs", &body("sk-one")).await.expect(201);
    assert_eq!(made["id"], again["id"]);
    client.post("/configs", &body("sk-two")).await.error(422, "idempotency_key_reused");
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_configs WHERE id NOT IN ('up', 'echo')"), 1);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let lab = Lab::start().await;
    for bad in ["", &"k".repeat(256)] {
        let answer = lab.client.once(bad).post("/chat", &json!({"message": "hi"})).await;
        assert_eq!(answer.error(400, "invalid_idempotency_key")["param"], "idempotency-key");
    }
    assert_eq!(lab.upstream.received(), 0);
}
