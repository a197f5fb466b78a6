use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::turn::FailureCode;

use crate::rig::Server;

fn contents(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|message| message["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_session_tells_how_the_turn_at_its_head_ended() {
    let server = Server::start().await;
    let made = server.session("s").await;
    assert_eq!((&made["head_status"], &made["head_ended_at"]), (&Value::Null, &Value::Null));

    server.chat("s", "hi").await.expect(200);
    let read = server.get("/sessions/s?limit=0").await.expect(200);
    assert_eq!(read["head_status"], "completed");
    assert!(read["head_ended_at"].as_str().unwrap().ends_with('Z'), "{read}");

    server.scripted.then([Step::fail(FailureCode::UpstreamRejected)]);
    server.chat("s", "hi").await.expect(502);
    let listed = server.get("/sessions").await.expect(200);
    assert_eq!(listed["data"][0]["head_status"], "failed");
    assert!(listed["data"][0]["head_ended_at"].as_str() >= read["head_ended_at"].as_str());

    let gate = Gate::default();
    server.scripted.then([Step::Wait(gate.clone()), Step::stop()]);
    server.post("/chat", json!({"session_id": "s", "message": "hi", "wait": false})).await.expect(202);
    gate.reached(1).await;
    let running = server.get("/sessions/s?limit=0").await.expect(200);
    assert_eq!(running["head_status"], "failed", "the running turn is not the head yet");
    assert_ne!(running["running"], running["head"]);
    gate.open();
}

#[tokio::test]
async fn a_session_comes_with_as_many_of_its_messages_as_asked_for() {
    let server = Server::start().await;
    server.session("s").await;
    let empty = server.get("/sessions/s").await.expect(200);
    assert_eq!((&empty["messages"], &empty["has_more"], &empty["next"]), (&json!([]), &json!(false), &Value::Null));
    for said in ["a", "b", "c"] {
        server.chat("s", said).await.expect(200);
    }
    let all = server.get("/sessions/s").await.expect(200);
    assert_eq!(contents(&all["messages"]), ["a", "ok", "b", "ok", "c", "ok"]);
    assert_eq!((&all["has_more"], &all["next"]), (&json!(false), &Value::Null));

    let some = server.get("/sessions/s?limit=2").await.expect(200);
    assert_eq!(contents(&some["messages"]), ["c", "ok"]);
    assert_eq!(some["has_more"], true);
    let older = format!("/sessions/s/messages?limit=3&before={}", some["next"].as_str().unwrap());
    let older = server.get(&older).await.expect(200);
    assert_eq!(contents(&older["data"]), ["ok", "b", "ok"], "what stands right before it");

    let none = server.get("/sessions/s?limit=0").await.expect(200);
    assert_eq!((&none["messages"], &none["has_more"], &none["next"]), (&json!([]), &json!(true), &Value::Null));
    for bad in ["101", "-1", "x"] {
        server.get(&format!("/sessions/s?limit={bad}")).await.refused(400, "invalid_value", "limit");
    }
}

#[tokio::test]
async fn the_text_of_a_running_turn_comes_with_no_message() {
    let server = Server::start().await;
    server.session("s").await;
    let gate = Gate::default();
    server.scripted.then([Step::text("Hel"), Step::Wait(gate.clone()), Step::stop()]);
    server.post("/chat", json!({"session_id": "s", "message": "hi", "wait": false})).await.expect(202);
    gate.reached(1).await;
    let read = server.get("/sessions/s?limit=0").await.expect(200);
    assert_eq!((&read["active_turn"]["text"], &read["messages"]), (&json!("Hel"), &json!([])));
    assert!(read["active_turn"]["started_at"].is_string());
    gate.open();
}
