use http::Method;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};

use crate::rig::Server;

#[tokio::test]
async fn a_session_is_told_of_as_it_stands() {
    let server = Server::start().await;
    let mut feed = server.follow("/events").await;
    let made = server.session("s").await;
    let told = feed.named("session.created").await;
    assert_eq!((&told["session_id"], &told["session"]), (&json!("s"), &made));

    let changed = server.patch("/sessions/s", json!({"title": "T", "pinned": true})).await.expect(200);
    let told = feed.named("session.updated").await;
    assert_eq!(told["session"], changed);
    assert_eq!(told["session"]["title"], "T");

    let chat = server.post("/chat", json!({"message": "hello"})).await.expect(200);
    let told = feed.named("session.created").await;
    assert_eq!((&told["session"]["id"], &told["session"]["title"]), (&chat["session_id"], &json!("hello")));
}

#[tokio::test]
async fn a_session_that_is_gone_is_told_of_as_null() {
    let server = Server::start().await;
    let cursor = {
        server.session("other").await;
        server.get("/sessions/other").await.expect(200)["cursor"].as_str().unwrap().to_owned()
    };
    server.session("s").await;
    server.ask(Method::DELETE, "/sessions/s", &[], None).await.expect(204);
    let mut feed = server.follow(&format!("/events?after={cursor}")).await;
    let told = feed.named("session.created").await;
    assert_eq!((&told["session_id"], &told["session"]), (&json!("s"), &Value::Null));
    assert_eq!(feed.named("session.deleted").await, json!({"session_id": "s"}));
}

#[tokio::test]
async fn a_queue_is_told_of_with_its_length() {
    let server = Server::start().await;
    server.post("/sessions", json!({"id": "s", "on_failure": "pause"})).await.expect(201);
    let gate = Gate::default();
    server.scripted.then([Step::Wait(gate.clone()), Step::stop()]);
    let mut feed = server.follow("/events").await;
    let send =
        async || server.post("/chat", json!({"session_id": "s", "message": "m", "wait": false})).await.expect(202);
    let first = send().await;
    gate.reached(1).await;
    send().await;
    let told = feed.named("queue.changed").await;
    assert_eq!(told, json!({"session_id": "s", "queued": 1, "paused": false}));

    server.post(&format!("/turns/{}/cancel", first["turn_id"].as_str().unwrap()), json!({})).await.expect(200);
    send().await;
    let told = feed.named("queue.changed").await;
    assert_eq!(told, json!({"session_id": "s", "queued": 2, "paused": true}));
}
