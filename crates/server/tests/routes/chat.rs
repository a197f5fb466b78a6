//! `POST /v1/chat/completions`, as a stock client would call it.

use http::Method;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::{
    event::{Delta, ReasoningKind},
    turn::{FailureCode, Finish},
};

use crate::rig::{Answer, Server};

const PATH: &str = "/v1/chat/completions";

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn send(server: &Server, headers: Headers<'_>, body: Value) -> Answer {
    server.ask(Method::POST, PATH, headers, Some(body)).await
}

fn said(completion: &Value) -> &str {
    completion["choices"][0]["message"]["content"].as_str().unwrap_or_else(|| panic!("{completion}"))
}

/// The body of the upstream call of that number, from 0.
fn sent(server: &Server, call: usize) -> Value {
    serde_json::from_slice(&server.scripted.calls()[call].body).unwrap()
}

/// Role and text of each message that was sent with it.
fn prompt(server: &Server, call: usize) -> Vec<(String, String)> {
    server.scripted.calls()[call].messages()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|&(role, text)| (role.to_owned(), text.to_owned())).collect()
}

async fn sessions(server: &Server) -> usize {
    server.get("/sessions").await.expect(200)["data"].as_array().unwrap().len()
}

/// The data of each frame; `[DONE]` as it is.
fn frames(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let data = text.lines().filter(|line| !line.is_empty()).map(|line| line.strip_prefix("data: ").unwrap());
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
}

fn call(id: &str, name: &str, arguments: &str) -> Step {
    let (id, name) = (Some(id.to_owned()), Some(name.to_owned()));
    Step::Delta(Delta::ToolCall { index: 0, id, name, arguments: arguments.to_owned() })
}

fn calls() -> Step {
    Step::Delta(Delta::Finish(Finish::ToolCalls))
}

#[tokio::test]
async fn without_a_session_the_list_is_the_prompt_and_nothing_is_kept() {
    let server = Server::start().await;
    let config = json!({"system": "of the config", "params": {"temperature": 0.1, "top_k": 5, "seed": 1}});
    server.patch("/configs/c", config).await.expect(200);
    let messages = json!([
        {"role": "developer", "content": "be brief"}, user("one"), {"role": "assistant", "content": "1"},
        {"role": "system", "content": "now in French"}, user("two"),
    ]);
    let body = json!({
        "model": "c/m-large", "messages": messages, "temperature": 0.5, "max_completion_tokens": 9,
        "metadata": {"k": "v"}, "store": true, "a_field_of_tomorrow": {"x": [1, null]}, "user": "u",
    });
    let answer = send(&server, &[("idempotency-key", "k")], body.clone()).await;
    let completion = answer.expect(200);
    assert_eq!((said(&completion), &completion["model"]), ("ok", &json!("c/m-large")));
    assert_eq!(completion["choices"][0]["finish_reason"], "stop");
    assert!(completion["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!((answer.header("x-turnwise-session"), answer.header("x-turnwise-turn")), ("", ""));

    let expected =
        [("system", "be brief"), ("user", "one"), ("assistant", "1"), ("system", "now in French"), ("user", "two")];
    assert_eq!(prompt(&server, 0), pairs(&expected));
    let sent = sent(&server, 0);
    let fields = [
        ("model", json!("m-large")),
        ("temperature", json!(0.5)),
        ("top_k", json!(5)),
        ("seed", json!(1)),
        ("max_tokens", json!(9)),
        ("a_field_of_tomorrow", json!({"x": [1, null]})),
        ("user", json!("u")),
        ("metadata", Value::Null),
        ("store", Value::Null),
    ];
    for (field, value) in fields {
        assert_eq!(sent[field], value, "{field}");
    }
    assert_eq!(sessions(&server).await, 0);
    let turn = completion["id"].as_str().unwrap().strip_prefix("chatcmpl-").unwrap();
    server.get(&format!("/turns/{turn}")).await.refused(404, "turn_not_found", "");
    // The key has nothing to be kept with.
    send(&server, &[("idempotency-key", "k")], body).await.expect(200);
    assert_eq!(server.scripted.calls().len(), 2);
}

#[tokio::test]
async fn a_stream_has_openais_order() {
    let server = Server::start().await;
    let thought = Delta::Reasoning { text: "hm".into(), kind: ReasoningKind::Text };
    server.scripted.then([Step::Delta(thought), Step::text("Hel"), Step::text("lo"), Step::stop()]);
    let body =
        json!({"model": "c", "messages": [user("hi")], "stream": true, "stream_options": {"include_usage": true}});
    let answer = send(&server, &[], body).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    let frames = frames(&answer);
    let (done, chunks) = frames.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    let (usage, chunks) = chunks.split_last().unwrap();
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(0)));
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["usage"].is_null()));
    let deltas: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
    assert_eq!(deltas[0]["role"], "assistant");
    assert_eq!(deltas[1], &json!({"reasoning_content": "hm"}));
    let text: String = deltas[2..].iter().filter_map(|delta| delta["content"].as_str()).collect();
    assert_eq!(text, "Hello");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert_eq!(sessions(&server).await, 0);
}

#[tokio::test]
async fn what_fails_before_the_first_word_has_a_status_and_later_an_error_in_the_stream() {
    let server = Server::start().await;
    let stateless = |stream: bool| json!({"model": "c", "messages": [user("hi")], "stream": stream});
    let kept = [("x-turnwise-session", "s")];
    for stream in [false, true] {
        server.scripted.then([Step::fail(FailureCode::UpstreamRejected)]);
        let rejected = send(&server, &[], stateless(stream)).await;
        rejected.refused(502, "upstream_rejected", "");
        assert_eq!(rejected.header("x-should-retry"), "false", "it would be rejected again");
        assert!(rejected.expect(502)["error"].get("turn_id").is_none(), "there is no such turn");

        server.scripted.otherwise(|_| vec![Step::fail(FailureCode::UpstreamTimeout)]);
        let late = send(&server, &[], stateless(stream)).await;
        late.refused(504, "upstream_timeout", "");
        assert_eq!(late.header("x-should-retry"), "", "nothing is kept, so it may be sent again");
        let late = send(&server, &kept, stateless(stream)).await;
        late.refused(504, "upstream_timeout", "");
        assert_eq!(late.header("x-should-retry"), "false", "the message is kept");
        assert_eq!(late.header("x-turnwise-session"), "s");
        assert_eq!(late.header("x-turnwise-turn"), late.expect(504)["error"]["turn_id"]);
    }

    server.scripted.then([Step::text("Hel"), Step::fail(FailureCode::UpstreamError)]);
    send(&server, &[], stateless(false)).await.refused(502, "upstream_error", "");
    server.scripted.then([Step::text("Hel"), Step::fail(FailureCode::UpstreamError)]);
    let broken = send(&server, &[], stateless(true)).await;
    assert_eq!(broken.status, 200);
    let frames = frames(&broken);
    assert_eq!(frames[1]["choices"][0]["delta"]["content"], "Hel");
    let last = frames.last().unwrap();
    assert_eq!((&last["error"]["code"], &last["error"]["type"]), (&json!("upstream_error"), &json!("upstream_error")));
}

#[tokio::test]
async fn with_a_session_what_is_new_becomes_its_turn() {
    let server = Server::start().await;
    let header = [("x-turnwise-session", "mine")];
    let answer = send(&server, &header, json!({"model": "c", "messages": [user("one")]})).await;
    let first = answer.expect(200);
    assert_eq!(answer.header("x-turnwise-session"), "mine");
    let turn = first["id"].as_str().unwrap().strip_prefix("chatcmpl-").unwrap();
    assert_eq!(answer.header("x-turnwise-turn"), turn);
    assert_eq!(server.get(&format!("/turns/{turn}")).await.expect(200)["message"]["content"], "ok");

    // The client's own copy counts for nothing but its end.
    let messages = json!([
        {"role": "system", "content": "be"}, {"role": "developer", "content": "brief"}, user("made up"),
        {"role": "assistant", "content": "made up too"}, user("two"),
    ]);
    send(&server, &[], json!({"model": "c", "messages": messages, "metadata": {"session_id": "mine"}}))
        .await
        .expect(200);
    let expected = [("system", "be\n\nbrief"), ("user", "one"), ("assistant", "ok"), ("user", "two")];
    assert_eq!(prompt(&server, 1), pairs(&expected));

    // Its prompt stood for that turn alone, and the native API goes on where it is.
    server.chat("mine", "three").await.expect(200);
    let texts: Vec<String> = prompt(&server, 2).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "ok", "two", "ok", "three"]);
    let stored = server.get("/sessions/mine/messages").await.expect(200);
    assert_eq!(stored["data"].as_array().unwrap().len(), 6);
    assert_eq!(sessions(&server).await, 1);
}

#[tokio::test]
async fn a_session_that_is_made_takes_the_whole_conversation() {
    let server = Server::start().await;
    let look = json!({"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}});
    let messages = json!([
        {"role": "system", "content": "be brief"}, user("one"),
        {"role": "assistant", "content": null, "tool_calls": [look]},
        {"role": "tool", "tool_call_id": "a", "content": "a cat"},
        {"role": "assistant", "content": "1"}, user("two"),
    ]);
    let header = [("x-turnwise-session", "new")];
    send(&server, &header, json!({"model": "c", "messages": messages})).await.expect(200);
    let roles: Vec<String> = prompt(&server, 0).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "user"]);
    send(&server, &header, json!({"model": "c", "messages": [user("three")]})).await.expect(200);
    let texts: Vec<String> = prompt(&server, 1).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "null", "a cat", "1", "two", "ok", "three"]);

    // An id that is taken by a deleted session is not free yet.
    server.ask(Method::DELETE, "/sessions/new", &[], None).await.expect(204);
    let again = send(&server, &header, json!({"model": "c", "messages": [user("x")]})).await;
    again.refused(400, "session_deleted", "x-turnwise-session");
}

#[tokio::test]
async fn tool_calls_go_out_and_their_results_come_in() {
    let server = Server::start().await;
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]);
    for header in [&[][..], &[("x-turnwise-session", "s")][..]] {
        let at = server.scripted.calls().len();
        server.scripted.then([call("call_1", "look", "{\"x\": 1}"), calls()]);
        let body = json!({"model": "c", "messages": [user("look")], "tools": tools, "tool_choice": "required"});
        let first = send(&server, header, body).await.expect(200);
        assert_eq!(first["choices"][0]["finish_reason"], "tool_calls");
        let message = first["choices"][0]["message"].clone();
        assert_eq!(message["tool_calls"][0]["function"], json!({"name": "look", "arguments": "{\"x\": 1}"}));
        assert_eq!((&sent(&server, at)["tools"], &sent(&server, at)["tool_choice"]), (&tools, &json!("required")));

        let result = json!({"role": "tool", "tool_call_id": "call_1", "content": "a cat"});
        let body = json!({"model": "c", "messages": [user("look"), message, result, user("well?")], "tools": tools});
        send(&server, header, body).await.expect(200);
        let roles: Vec<String> = prompt(&server, at + 1).into_iter().map(|(role, _)| role).collect();
        assert_eq!(roles, ["user", "assistant", "tool", "user"]);
        assert_eq!(sent(&server, at + 1)["messages"][1]["tool_calls"][0]["id"], "call_1");

        let unknown = json!([user("look"), {"role": "tool", "tool_call_id": "call_9", "content": "x"}]);
        let unknown = send(&server, header, json!({"model": "c", "messages": unknown})).await;
        unknown.refused(400, "no_such_tool_call", "messages");
    }
    let late = json!([{"role": "tool", "tool_call_id": "call_1", "content": "x"}]);
    let late = send(&server, &[("x-turnwise-session", "s")], json!({"model": "c", "messages": late})).await;
    late.refused(400, "tool_calls_superseded", "messages");
}

#[tokio::test]
async fn a_busy_session_queues_refuses_or_makes_way() {
    let server = Server::start().await;
    let gate = Gate::default();
    server.scripted.then([Step::text("so far"), Step::Wait(gate.clone()), Step::stop()]);
    let send = |busy: &'static str| {
        let headers = [("x-turnwise-session", "s"), ("x-turnwise-if-busy", busy)];
        let body = json!({"model": "c", "messages": [user("hi")]});
        let server = &server;
        async move { server.ask(Method::POST, PATH, &headers, Some(body)).await }
    };
    let rest = async {
        gate.reached(1).await;
        let rejected = send("reject").await;
        rejected.refused(400, "conversation_locked", "");
        assert!(rejected.expect(400)["error"]["turn_id"].is_string());
        send("never").await.refused(400, "invalid_header", "x-turnwise-if-busy");
        send("interrupt").await.expect(200)
    };
    let (first, second) = tokio::join!(send("queue"), rest);
    let first = first.expect(200);
    assert_eq!((said(&first), &first["choices"][0]["finish_reason"]), ("so far", &json!("length")), "cut off");
    assert_eq!(said(&second), "ok");
}

#[tokio::test]
async fn one_key_makes_one_turn_of_a_session() {
    let server = Server::start().await;
    let headers = [("x-turnwise-session", "s"), ("idempotency-key", "k")];
    let body = json!({"model": "c", "messages": [user("hi")]});
    let first = send(&server, &headers, body.clone()).await.expect(200);
    assert_eq!(send(&server, &headers, body.clone()).await.expect(200), first);
    let mut streamed = body;
    streamed["stream"] = true.into();
    let frames = frames(&send(&server, &headers, streamed).await);
    assert_eq!(frames[0]["id"], first["id"]);
    assert_eq!(server.scripted.calls().len(), 1);
    let other = send(&server, &headers, json!({"model": "c", "messages": [user("other")]})).await;
    other.refused(422, "idempotency_key_reused", "idempotency-key");
    let elsewhere = [("x-turnwise-session", "t"), ("idempotency-key", "k")];
    let elsewhere = send(&server, &elsewhere, json!({"model": "c", "messages": [user("hi")]})).await;
    assert_eq!((elsewhere.expect(200)["id"] == first["id"], elsewhere.header("x-turnwise-session")), (false, "t"));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_neither_calls_nor_keeps() {
    let server = Server::start().await;
    let (none, mine): (Headers, Headers) = (&[], &[("x-turnwise-session", "s")]);
    let one = |fields: Value| {
        let mut body = json!({"model": "c", "messages": [user("hi")]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let table = [
        (none, one(json!({"n": 2})), 400, "unsupported_parameter", "n"),
        (none, one(json!({"messages": null})), 400, "missing_required_parameter", "messages"),
        (none, one(json!({"model": "gpt-5"})), 404, "model_not_found", "model"),
        (mine, one(json!({"model": "gpt-5"})), 404, "model_not_found", "model"),
        (
            mine,
            one(json!({"messages": [user("hi"), {"role": "assistant", "content": "x"}]})),
            400,
            "no_new_message",
            "messages",
        ),
        (mine, one(json!({"messages": [user("")]})), 400, "message_empty", "messages"),
        (&[("x-turnwise-session", "a b")], one(json!({})), 400, "invalid_session_id", "x-turnwise-session"),
        (none, one(json!({"metadata": {"session_id": "ü"}})), 400, "invalid_session_id", "metadata.session_id"),
        (
            mine,
            one(json!({"metadata": {"session_id": "t"}})),
            400,
            "mutually_exclusive_parameters",
            "metadata.session_id",
        ),
    ];
    for (headers, body, status, code, param) in table {
        send(&server, headers, body).await.refused(status, code, param);
    }
    assert!(server.scripted.calls().is_empty());
    assert_eq!(sessions(&server).await, 0);
}

#[tokio::test]
async fn each_project_has_its_own_sessions_under_the_same_id() {
    let server = Server::start().await;
    let body = json!({"model": "c", "messages": [user("hi")]});
    let header = ("x-turnwise-session", "s");
    send(&server, &[header], body.clone()).await.expect(200);
    let (ours, theirs) = (server.key("default").await, server.key("other").await);
    send(&server, &[header], body.clone()).await.refused(401, "api_key_required", "");
    let their_key = format!("Bearer {theirs}");
    let config = json!({"id": "c", "name": "c", "provider": "scripted", "model": "m"});
    server.ask(Method::POST, "/configs", &[("authorization", &their_key)], Some(config)).await.expect(201);
    send(&server, &[header, ("authorization", &their_key)], body.clone()).await.expect(200);
    assert_eq!(prompt(&server, 1), pairs(&[("user", "hi")]), "nothing of the other project's session");
    send(&server, &[header, ("x-api-key", &ours)], body).await.expect(200);
    assert_eq!(prompt(&server, 2).len(), 3);
}
