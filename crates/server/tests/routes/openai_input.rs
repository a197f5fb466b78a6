//! What `/v1` may be asked with: items of every kind, put in with a response or without one, referred to, counted, made
//! short, and not stored at all.

use http::Method;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::{event::Delta, turn::Finish};

use crate::rig::Server;

async fn conversation(server: &Server, items: Value) -> String {
    let made = server.post("/v1/conversations", json!({ "items": items })).await.expect(200);
    format!("/v1/conversations/{}", made["id"].as_str().unwrap())
}

/// A line for each item of a conversation, oldest first.
async fn items(server: &Server, conversation: &str) -> Vec<String> {
    let listed = server.get(&format!("{conversation}/items?order=asc&limit=100")).await.expect(200);
    listed["data"].as_array().unwrap().iter().map(line).collect()
}

fn line(item: &Value) -> String {
    let text = |part: &Value| part["text"].as_str().or(part["refusal"].as_str()).unwrap_or_default().to_owned();
    let content: Vec<String> = item["content"].as_array().into_iter().flatten().map(text).collect();
    let word = |field: &str| item[field].as_str().unwrap_or_default();
    match word("type") {
        "message" => format!("{}: {}", word("role"), content.concat()),
        "reasoning" => format!("thought: {}", content.concat()),
        "function_call" => format!("call {}: {}", word("call_id"), word("arguments")),
        "function_call_output" => format!("output {}: {}", word("call_id"), word("output")),
        other => panic!("{other}"),
    }
}

/// A line for each message that the model was sent with its last call.
fn sent(server: &Server) -> Vec<String> {
    let calls = server.scripted.calls();
    let body: Value = serde_json::from_slice(&calls.last().unwrap().body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    let calls = |message: &Value| message["tool_calls"].as_array().map_or(0, Vec::len);
    let line = |message: &Value| {
        let text = message["content"].as_str().unwrap_or_default();
        match calls(message) {
            0 => format!("{}: {text}", message["role"].as_str().unwrap()),
            calls => format!("{}: {text} +{calls} calls", message["role"].as_str().unwrap()),
        }
    };
    messages.iter().map(line).collect()
}

fn history() -> Value {
    json!([
        {"role": "developer", "content": "be brief"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "weather?"}], "status": null},
        {"type": "reasoning", "id": "rs_x_0", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"type": "function_call", "id": "fc_x_0", "call_id": "c1", "name": "look", "arguments": "{}", "status": "completed"},
        {"type": "function_call", "call_id": "c2", "name": "look", "arguments": "{\"a\":1}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "wind"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "wet", "annotations": [], "logprobs": []}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no more"}]},
    ])
}

const LISTED: [&str; 9] = [
    "system: be brief",
    "user: weather?",
    "thought: hm",
    "call c1: {}",
    "call c2: {\"a\":1}",
    "output c1: rain",
    "output c2: wind",
    "assistant: wet",
    "assistant: no more",
];

#[tokio::test]
async fn items_of_every_kind_are_put_in_listed_and_sent() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([])).await;
    assert!(items(&server, &conversation).await.is_empty());
    let path = format!("{conversation}/items?include=reasoning.encrypted_content&include[]=x");
    let made = server.post(&path, json!({ "items": history() })).await.expect(200);
    assert_eq!(made["data"].as_array().unwrap().iter().map(line).collect::<Vec<_>>(), LISTED);
    assert_eq!((&made["object"], &made["has_more"]), (&json!("list"), &json!(false)));
    assert_eq!(items(&server, &conversation).await, LISTED);
    assert!(server.scripted.calls().is_empty(), "nobody is asked");
    for item in made["data"].as_array().unwrap() {
        let one = format!("{conversation}/items/{}?include=x", item["id"].as_str().unwrap());
        assert_eq!(server.get(&one).await.expect(200), *item);
    }

    let id = conversation.rsplit('/').next().unwrap();
    let response = json!({"model": "c", "conversation": id, "input": "and now?"});
    server.post("/v1/responses", response).await.expect(200);
    assert_eq!(
        sent(&server),
        [
            "system: be brief",
            "user: weather?",
            "assistant:  +2 calls",
            "tool: rain",
            "tool: wind",
            "assistant: wet",
            "user: and now?"
        ]
    );
    let native = server.get(&format!("/sessions/{}/messages", id.strip_prefix("conv_").unwrap())).await.expect(200);
    let kinds: Vec<_> =
        native["data"].as_array().unwrap().iter().map(|it| (it["kind"].clone(), it["input"].clone())).collect();
    assert_eq!(kinds.len(), 11);
    assert!(kinds[..9].iter().all(|found| *found == (json!("insert"), json!(true))), "{kinds:?}");
    assert_eq!(kinds[10], (json!("message"), json!(false)));
}

#[tokio::test]
async fn what_a_conversation_lists_a_response_can_be_asked_with() {
    let server = Server::start().await;
    let conversation = conversation(&server, history()).await;
    let listed = server.get(&format!("{conversation}/items?order=asc")).await.expect(200)["data"].clone();
    let mut input = listed.as_array().unwrap().clone();
    input.push(json!({"role": "user", "content": "and now?"}));
    let response = server.post("/v1/responses", json!({"model": "c", "input": input})).await.expect(200);
    let whole = sent(&server);
    assert_eq!(whole.len(), 7, "{whole:?}");
    let asked = server
        .get(&format!("/v1/responses/{}/input_items?order=asc", response["id"].as_str().unwrap()))
        .await
        .expect(200);
    let lines: Vec<String> = asked["data"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(lines[..9], LISTED);

    let reference = |item: &Value| json!({"type": "item_reference", "id": item["id"]});
    let mut input: Vec<Value> = listed.as_array().unwrap().iter().map(reference).collect();
    // Its type may be left out, and what a model answered may be referred to as well.
    input.push(json!({"id": response["output"][0]["id"]}));
    input.push(json!({"role": "user", "content": "go on"}));
    server.post("/v1/responses", json!({"model": "c", "input": input})).await.expect(200);
    // The refusal and the answer are one message: the same speaker said both.
    assert_eq!(sent(&server)[..5], whole[..5]);
    assert_eq!(sent(&server)[5..], ["assistant: wet\n\nok", "user: go on"]);
}

#[tokio::test]
async fn a_reference_to_what_is_in_the_conversation_already_adds_nothing() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([{"role": "user", "content": "one"}])).await;
    let first = server.get(&format!("{conversation}/items")).await.expect(200)["data"][0]["id"].clone();
    let id = conversation.rsplit('/').next().unwrap();
    let reference = json!({"type": "item_reference", "id": first});
    let input = json!([reference, {"role": "user", "content": "two"}]);
    server.post("/v1/responses", json!({"conversation": id, "input": input})).await.expect(200);
    assert_eq!(sent(&server), ["user: one", "user: two"]);
    let nothing_new = json!({"conversation": id, "input": [reference]});
    server.post("/v1/responses", nothing_new).await.refused(400, "missing_required_parameter", "input");
}

#[tokio::test]
async fn items_wait_for_their_place_behind_a_running_response() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([])).await;
    let id = conversation.rsplit('/').next().unwrap();
    let gate = Gate::default();
    server.scripted.then([Step::text("one"), Step::Wait(gate.clone()), Step::stop()]);
    let background = json!({"conversation": id, "input": "q", "background": true});
    let response = server.post("/v1/responses", background).await.expect(200);
    gate.reached(1).await;
    let path = format!("{conversation}/items");
    let adding = server.post(&path, json!({"items": [{"role": "user", "content": "noted"}]}));
    let (_, made) = tokio::join!(
        async {
            // The items are in the queue once the session says so.
            let session = format!("/sessions/{}", id.strip_prefix("conv_").unwrap());
            while server.get(&session).await.expect(200)["queued"] == json!(0) {
                tokio::task::yield_now().await;
            }
            gate.open();
        },
        adding
    );
    made.expect(200);
    assert_eq!(items(&server, &conversation).await, ["user: q", "assistant: one", "user: noted"]);
    let ended = server.get(&format!("/v1/responses/{}", response["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&ended["status"], &ended["background"]), (&json!("completed"), &json!(true)));
}

#[tokio::test]
async fn an_idempotency_key_puts_items_in_once() {
    let server = Server::start().await;
    let key = [("idempotency-key", "k")];
    let body = json!({"items": [{"role": "user", "content": "one"}], "metadata": {"a": "b"}});
    let send = || server.ask(Method::POST, "/v1/conversations", &key, Some(body.clone()));
    let made = send().await.expect(200);
    assert_eq!(send().await.expect(200), made);
    let conversation = format!("/v1/conversations/{}", made["id"].as_str().unwrap());
    assert_eq!(items(&server, &conversation).await, ["user: one"]);

    let (path, body) = (format!("{conversation}/items"), json!({"items": [{"role": "user", "content": "two"}]}));
    let add = || server.ask(Method::POST, &path, &key, Some(body.clone()));
    let made = add().await.expect(200);
    assert_eq!(add().await.expect(200), made);
    assert_eq!(items(&server, &conversation).await, ["user: one", "user: two"]);
}

#[tokio::test]
async fn items_that_do_not_fit_are_refused_and_nothing_is_put_in() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([])).await;
    let path = format!("{conversation}/items");
    let many: Vec<Value> = (0..21).map(|_| json!({"role": "user", "content": "x"})).collect();
    let refused = [
        (json!({}), 400, "missing_field", "items"),
        (json!({"items": []}), 400, "invalid_value", "items"),
        (json!({ "items": many }), 400, "invalid_value", "items"),
        (json!({"items": "x"}), 400, "invalid_value", "items"),
        (json!({"items": [{"role": "user"}]}), 400, "invalid_value", "items[0].content"),
        (json!({"items": [{"type": "mcp_call"}]}), 400, "unsupported_item", "items[0].type"),
        (
            json!({"items": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}),
            400,
            "no_such_tool_call",
            "input",
        ),
    ];
    for (body, status, code, param) in refused {
        server.post(&path, body).await.refused(status, code, param);
    }
    server.post("/v1/conversations", json!({ "items": many })).await.refused(400, "invalid_value", "items");
    let output = json!({"items": [{"type": "function_call_output", "call_id": "c", "output": "x"}]});
    server.post("/v1/conversations", output).await.refused(400, "no_such_tool_call", "items");
    let unknown = json!({"items": [{"role": "user", "content": "x"}]});
    server.post("/v1/conversations/conv_0/items", unknown).await.refused(404, "conversation_not_found", "");
    assert!(items(&server, &conversation).await.is_empty());
    let sessions = server.get("/sessions").await.expect(200);
    assert_eq!(sessions["data"].as_array().unwrap().len(), 1, "a refused conversation is not made");
}

#[tokio::test]
async fn a_response_that_is_not_stored_leaves_nothing() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([{"role": "user", "content": "one"}])).await;
    let id = conversation.rsplit('/').next().unwrap();
    for stream in [false, true] {
        let body = json!({"conversation": id, "input": "two", "store": false, "stream": stream});
        let answer = server.post("/v1/responses", body).await;
        let response = if stream {
            let text = answer.text();
            assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
            let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).rev().nth(1).unwrap().to_owned();
            serde_json::from_str::<Value>(&data).unwrap()["response"].clone()
        } else {
            answer.expect(200)
        };
        assert_eq!(response["output"][0]["content"][0]["text"], "ok");
        assert_eq!((&response["store"], &response["status"]), (&json!(false), &json!("completed")));
        assert_eq!(sent(&server), ["user: one", "user: two"]);
        let path = format!("/v1/responses/{}", response["id"].as_str().unwrap());
        server.get(&path).await.refused(404, "response_not_found", "");
        server.get(&format!("{path}?stream=true")).await.refused(404, "response_not_found", "");
    }
    let alone = json!({"model": "c", "input": "alone", "store": false});
    let response = server.post("/v1/responses", alone).await.expect(200);
    assert_eq!(response["conversation"], Value::Null);
    let next = json!({"input": "x", "previous_response_id": response["id"]});
    server.post("/v1/responses", next).await.refused(400, "previous_response_not_found", "previous_response_id");
    assert_eq!(items(&server, &conversation).await, ["user: one"]);
    let sessions = server.get("/sessions").await.expect(200);
    assert_eq!(sessions["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn input_is_counted_with_all_that_would_be_sent() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([{"role": "user", "content": "one two three"}])).await;
    let id = conversation.rsplit('/').next().unwrap();
    let count = async |body: Value| {
        let counted = server.post("/v1/responses/input_tokens", body).await.expect(200);
        assert_eq!(counted["object"], "response.input_tokens");
        counted["input_tokens"].as_u64().unwrap()
    };
    let past = count(json!({"conversation": id})).await;
    let both = count(json!({"conversation": id, "input": "four"})).await;
    let alone = count(json!({"model": "c", "input": "four"})).await;
    assert!(past > 0 && both == past + alone, "{past} {both} {alone}");
    let tool = json!({"type": "function", "name": "look_around", "parameters": {"type": "object"}});
    assert!(count(json!({"input": "four", "tools": [tool]})).await > alone);
    assert!(count(json!({"input": "four", "instructions": "be brief"})).await > alone);
    assert!(server.scripted.calls().is_empty());
    let unknown = json!({"model": "x", "input": "four"});
    server.post("/v1/responses/input_tokens", unknown).await.refused(404, "model_not_found", "model");
}

#[tokio::test]
async fn a_conversation_made_short_can_be_gone_on_with() {
    let server = Server::start().await;
    let conversation = conversation(&server, history()).await;
    let id = conversation.rsplit('/').next().unwrap();
    server.scripted.then([Step::text("it rains"), Step::stop()]);
    let body = json!({"model": "c", "conversation": id, "input": [{"role": "user", "content": "thanks"}]});
    let compact = server.post("/v1/responses/compact", body).await.expect(200);
    assert_eq!(sent(&server)[..2], ["system: be brief", "user: weather?"]);
    assert_eq!(compact["object"], "response.compaction");
    let output = compact["output"].as_array().unwrap().clone();
    let users: Vec<String> = output[..2].iter().map(line).collect();
    assert_eq!(users, ["user: weather?", "user: thanks"]);
    assert_eq!((output.len(), &output[2]["type"]), (3, &json!("compaction")));
    assert!(!compact.to_string().contains("it rains"), "only its own project reads it");

    let mut input = output;
    input.push(json!({"role": "user", "content": "and now?"}));
    server.post("/v1/responses", json!({"model": "c", "input": input})).await.expect(200);
    let sent = sent(&server);
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(sent[2].starts_with("system: ") && sent[2].ends_with("it rains"), "{sent:?}");
    assert_eq!(items(&server, &conversation).await, LISTED, "the conversation is as it was");

    server.scripted.then([Step::stop()]);
    let body = json!({"model": "c", "conversation": id});
    server.post("/v1/responses/compact", body).await.refused(502, "no_summary", "");
}

#[tokio::test]
async fn a_busy_conversation_can_be_left_alone() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([])).await;
    let id = conversation.rsplit('/').next().unwrap();
    let gate = Gate::default();
    server.scripted.then([Step::text("one"), Step::Wait(gate.clone()), Step::stop()]);
    let body = json!({"conversation": id, "input": "q", "background": true});
    server.post("/v1/responses", body.clone()).await.expect(200);
    gate.reached(1).await;
    let ask = |word: &'static str| {
        let body = body.clone();
        let server = &server;
        async move { server.ask(Method::POST, "/v1/responses", &[("x-turnwise-if-busy", word)], Some(body)).await }
    };
    ask("reject").await.refused(400, "conversation_locked", "");
    ask("maybe").await.refused(400, "invalid_header", "x-turnwise-if-busy");
    assert_eq!(ask("queue").await.expect(200)["status"], "queued");
    gate.open();
}

#[tokio::test]
async fn calls_of_an_answer_are_answered_by_items_too() {
    let server = Server::start().await;
    let conversation = conversation(&server, json!([])).await;
    let id = conversation.rsplit('/').next().unwrap();
    let call = |index, id: &str| {
        Step::Delta(Delta::ToolCall { index, id: Some(id.into()), name: Some("f".into()), arguments: "{}".into() })
    };
    server.scripted.then([call(0, "a"), call(1, "b"), Step::Delta(Delta::Finish(Finish::ToolCalls))]);
    server.post("/v1/responses", json!({"conversation": id, "input": "q"})).await.expect(200);
    let path = format!("{conversation}/items");
    let output = |call: &str| json!({"type": "function_call_output", "call_id": call, "output": call});
    server.post(&path, json!({"items": [output("a"), output("b")]})).await.expect(200);
    server.post("/v1/responses", json!({"conversation": id, "input": "so?"})).await.expect(200);
    assert_eq!(sent(&server), ["user: q", "assistant:  +2 calls", "tool: a", "tool: b", "user: so?"]);
}
