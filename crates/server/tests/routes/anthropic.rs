//! `POST /v1/messages`, as a stock client of Anthropic's would call it.

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::{
    event::{Delta, ReasoningKind},
    turn::{FailureCode, Finish, Usage},
};

use crate::rig::{Answer, Server};

const PATH: &str = "/v1/messages";

fn ask(fields: Value) -> Value {
    let mut body = json!({"model": "c", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn send(server: &Server, headers: &[(&str, &str)], body: Value) -> Answer {
    server.ask(Method::POST, PATH, headers, Some(body)).await
}

fn sent(server: &Server, call: usize) -> Value {
    serde_json::from_slice(&server.scripted.calls()[call].body).unwrap()
}

/// Of a refusal in Anthropic's form: the status, the type, and our own code.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str, code: &str) {
    let body = answer.expect(status);
    assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!(kind)), "{body}");
    assert_eq!(body["error"]["code"], code, "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{body}");
    assert_eq!((answer.header("request-id"), answer.header("x-request-id")), {
        let id = body["request_id"].as_str().unwrap();
        (id, id)
    });
}

/// The events of a stream, each name with its data.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let text = answer.text();
    let events = text.split_terminator("\n\n").map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    });
    events.collect()
}

#[tokio::test]
async fn a_message_is_answered_and_nothing_is_kept() {
    let server = Server::start().await;
    server.patch("/configs/c", json!({"system": "of the config"})).await.expect(200);
    let usage = Usage { prompt_tokens: 9, completion_tokens: 4, cached_tokens: 3, reasoning_tokens: 1 };
    let thought = Delta::Reasoning { text: "hm".into(), kind: ReasoningKind::Text };
    server.scripted.then([Step::Delta(thought), Step::text("Hello"), Step::Delta(Delta::Usage(usage)), Step::stop()]);
    let answer =
        send(&server, &[("anthropic-version", "2023-06-01")], ask(json!({"system": "be brief", "top_k": 5}))).await;
    let message = answer.expect(200);
    assert_eq!(message["content"][0], json!({"type": "thinking", "thinking": "hm", "signature": ""}));
    assert_eq!(message["content"][1]["text"], "Hello");
    assert_eq!((&message["role"], &message["stop_reason"]), (&json!("assistant"), &json!("end_turn")));
    assert_eq!(
        (&message["usage"]["input_tokens"], &message["usage"]["cache_read_input_tokens"]),
        (&json!(6), &json!(3))
    );
    assert_eq!(message["usage"]["output_tokens"], 4);
    assert_eq!(message["model"], "c");
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));

    let sent = sent(&server, 0);
    assert_eq!(sent["messages"], json!([{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]));
    assert_eq!((&sent["max_tokens"], &sent["top_k"]), (&json!(99), &json!(5)));
    assert_eq!(server.get("/sessions").await.expect(200)["data"], json!([]));

    let beta = server.post("/v1/messages?beta=true", ask(json!({}))).await;
    assert_eq!(beta.expect(200)["content"][0]["text"], "ok", "their beta client adds a parameter to the address");
}

#[tokio::test]
async fn a_stream_has_anthropics_order() {
    let server = Server::start().await;
    let call = |index: u32, id: &str, arguments: &str| {
        Step::Delta(Delta::ToolCall {
            index,
            id: Some(id.to_owned()),
            name: Some("look".to_owned()),
            arguments: arguments.to_owned(),
        })
    };
    let end = Step::Delta(Delta::Finish(Finish::ToolCalls));
    server.scripted.then([Step::text("Hello"), call(0, "a", "{\"x\":1}"), call(1, "b", "{}"), end]);
    let answer = send(&server, &[], ask(json!({"stream": true}))).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    let events = events(&answer);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let block = ["content_block_start", "content_block_delta", "content_block_stop"];
    let expected = [&["message_start"][..], &block, &block, &block, &["message_delta", "message_stop"]].concat();
    assert_eq!(names, expected);
    assert!(events.iter().all(|(name, data)| data["type"] == **name));
    assert_eq!(events[4].1["content_block"], json!({"type": "tool_use", "id": "a", "name": "look", "input": {}}));
    assert_eq!(events[5].1["delta"], json!({"type": "input_json_delta", "partial_json": "{\"x\":1}"}));
    assert_eq!(events[10].1["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn what_fails_before_the_first_word_has_a_status_and_later_an_event() {
    let server = Server::start().await;
    for stream in [false, true] {
        server.scripted.then([Step::fail(FailureCode::UpstreamRejected)]);
        let answer = send(&server, &[], ask(json!({"stream": stream}))).await;
        refused(&answer, 502, "api_error", "upstream_rejected");
        assert_eq!(answer.header("x-should-retry"), "false");
    }
    server.scripted.then([Step::text("Hel"), Step::fail(FailureCode::UpstreamError)]);
    let answer = send(&server, &[], ask(json!({"stream": true}))).await;
    assert_eq!(answer.status, 200);
    let events = events(&answer);
    let (name, data) = events.last().unwrap();
    assert_eq!((name.as_str(), &data["error"]["type"]), ("error", &json!("api_error")));
    assert_eq!(data["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_model_that_is_silent_for_long_keeps_nobody_in_doubt() {
    let server = Server::start().await;
    let gate = Gate::default();
    server.scripted.then([Step::Wait(gate.clone()), Step::text("late"), Step::stop()]);
    let hurry = async {
        gate.reached(1).await;
        // From here on nothing but timers is waited for, and they fire at once, one after another.
        tokio::time::pause();
    };
    let (mut body, ()) = tokio::join!(server.open(PATH, ask(json!({"stream": true}))), hurry);
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        String::from_utf8(frame.to_vec()).unwrap()
    };
    assert!(next().await.starts_with("event: message_start\n"), "the head waits for the first word, but not for ever");
    assert_eq!(next().await, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    gate.open();
    assert!(next().await.contains("late"));
}

#[tokio::test]
async fn with_a_session_what_is_new_becomes_its_turn() {
    let server = Server::start().await;
    let header = [("x-turnwise-session", "mine")];
    let look = Delta::ToolCall {
        index: 0,
        id: Some("call_1".into()),
        name: Some("look".into()),
        arguments: "{\"x\": 1}".into(),
    };
    server.scripted.then([Step::Delta(look), Step::Delta(Delta::Finish(Finish::ToolCalls))]);
    let tools = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let answer = send(&server, &header, ask(json!({"tools": tools}))).await;
    let first = answer.expect(200);
    assert_eq!(answer.header("x-turnwise-session"), "mine");
    assert_eq!(format!("msg_{}", answer.header("x-turnwise-turn")), first["id"]);
    assert_eq!(first["content"][0]["input"], json!({"x": 1}));

    let result = json!({"type": "tool_result", "tool_use_id": "call_1", "content": "a cat"});
    let messages = json!([
        {"role": "user", "content": "made up"}, {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result, {"type": "text", "text": "well?"}]},
    ]);
    send(&server, &header, ask(json!({"messages": messages, "system": "be brief"}))).await.expect(200);
    let sent = server.scripted.calls()[1].messages();
    let sent: Vec<(&str, &str)> = sent.iter().map(|(role, text)| (role.as_str(), text.as_str())).collect();
    let expected =
        [("system", "be brief"), ("user", "hi"), ("assistant", "null"), ("tool", "a cat"), ("user", "well?")];
    assert_eq!(sent, expected);

    server.chat("mine", "go on").await.expect(200);
    let stored = server.get("/sessions/mine/messages").await.expect(200);
    assert_eq!(stored["data"].as_array().unwrap().len(), 7);

    let key = [("x-turnwise-session", "mine"), ("idempotency-key", "k")];
    let once = send(&server, &key, ask(json!({}))).await.expect(200);
    assert_eq!(send(&server, &key, ask(json!({}))).await.expect(200), once);
    assert_eq!(server.scripted.calls().len(), 4);
}

#[tokio::test]
async fn tokens_are_counted_without_a_call() {
    let server = Server::start().await;
    let count = |body: Value| server.post("/v1/messages/count_tokens", body);
    let alone = count(json!({"model": "c", "messages": [{"role": "user", "content": "hi"}]})).await.expect(200);
    let tools = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let more = count(ask(json!({"tools": tools, "system": "be brief"}))).await.expect(200);
    assert!(alone["input_tokens"].as_u64().unwrap() > 0);
    assert!(more["input_tokens"].as_u64() > alone["input_tokens"].as_u64());
    refused(&count(ask(json!({"model": "x"}))).await, 404, "not_found_error", "model_not_found");
    assert!(server.scripted.calls().is_empty());
}

#[tokio::test]
async fn every_refusal_has_anthropics_form() {
    let server = Server::start().await;
    let raw = |method: Method, content_type: &str, body: Vec<u8>| {
        let request = Request::builder().method(method).uri(PATH).header("host", "localhost");
        request.header("content-type", content_type).body(Body::from(body)).unwrap()
    };
    let json_type = "application/json";
    let table = [
        (raw(Method::POST, json_type, b"{".to_vec()), 400, "invalid_request_error", "invalid_json"),
        (raw(Method::POST, json_type, Vec::new()), 400, "invalid_request_error", "body_required"),
        (raw(Method::POST, "text/plain", b"{}".to_vec()), 415, "invalid_request_error", "unsupported_media_type"),
        (raw(Method::POST, json_type, vec![b' '; (8 << 20) + 1]), 413, "request_too_large", "body_too_large"),
        (raw(Method::GET, json_type, Vec::new()), 405, "invalid_request_error", "method_not_allowed"),
    ];
    for (request, status, kind, code) in table {
        refused(&server.send(request).await, status, kind, code);
    }
    let invalid = "invalid_request_error";
    let table = [
        (ask(json!({"max_tokens": null})), 400, invalid, "missing_field"),
        (ask(json!({"mcp_servers": []})), 400, invalid, "unknown_field"),
        (ask(json!({"tools": [{"type": "bash_20250124", "name": "bash"}]})), 400, invalid, "unsupported_tool"),
        (
            ask(json!({"messages": [{"role": "user", "content": [{"type": "document"}]}]})),
            400,
            invalid,
            "unsupported_content",
        ),
        (ask(json!({"model": "claude-opus"})), 404, "not_found_error", "model_not_found"),
        (
            ask(json!({"messages": [{"role": "user", "content": "x".repeat((4 << 20) + 1)}]})),
            413,
            "request_too_large",
            "message_too_large",
        ),
    ];
    for (body, status, kind, code) in table {
        refused(&send(&server, &[], body).await, status, kind, code);
    }
    refused(&send(&server, &[("x-turnwise-session", "")], ask(json!({}))).await, 400, invalid, "invalid_session_id");
    refused(&send(&server, &[("x-turnwise-if-busy", "")], ask(json!({}))).await, 400, invalid, "invalid_header");

    let key = server.key("other").await;
    refused(&send(&server, &[], ask(json!({}))).await, 401, "authentication_error", "api_key_required");
    refused(
        &send(&server, &[("x-api-key", "tw_0")], ask(json!({}))).await,
        401,
        "authentication_error",
        "invalid_api_key",
    );
    let theirs = send(&server, &[("x-api-key", &key)], ask(json!({}))).await;
    refused(&theirs, 404, "not_found_error", "model_not_found");
    assert!(server.scripted.calls().is_empty(), "no refusal costs a call");
}

#[tokio::test]
async fn a_config_is_a_model_for_their_clients_too() {
    let server = Server::start().await;
    let models = server.get("/v1/models?limit=20").await.expect(200);
    assert_eq!(
        (&models["first_id"], &models["last_id"], &models["has_more"]),
        (&json!("c"), &json!("c"), &json!(false))
    );
    let model = &models["data"][0];
    assert_eq!((&model["type"], &model["display_name"]), (&json!("model"), &json!("c")));
    assert!(model["created_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{model}");
    assert_eq!(server.get("/v1/models/c").await.expect(200), *model);
}
