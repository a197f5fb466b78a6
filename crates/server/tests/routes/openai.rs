//! `/v1`, as a stock client would call it.

use http::Method;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::{
    event::Delta,
    turn::{FailureCode, Finish},
};

use crate::rig::{Answer, Server};

fn call(id: &str, name: &str, arguments: &str) -> Step {
    let (id, name) = (Some(id.to_owned()), Some(name.to_owned()));
    Step::Delta(Delta::ToolCall { index: 0, id, name, arguments: arguments.to_owned() })
}

pub fn calls() -> Step {
    Step::Delta(Delta::Finish(Finish::ToolCalls))
}

pub async fn respond(server: &Server, body: Value) -> Value {
    server.post("/v1/responses", body).await.expect(200)
}

pub fn said(response: &Value) -> &str {
    response["output"][0]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"))
}

pub fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

pub async fn conversation(server: &Server) -> String {
    id(&server.post("/v1/conversations", json!({})).await.expect(200)).to_owned()
}

/// The data of each event; the last line is `[DONE]`.
pub fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.last(), Some(&"[DONE]"), "{text}");
    data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[tokio::test]
async fn a_config_is_a_model() {
    let server = Server::start().await;
    let models = server.get("/v1/models").await.expect(200);
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("c")));
    for name in ["c", "c/m-large", "c%2Fm-large"] {
        let model = server.get(&format!("/v1/models/{name}")).await.expect(200);
        assert_eq!((id(&model), &model["object"]), (&*name.replace("%2F", "/"), &json!("model")));
    }
    for unknown in ["x", "gpt-4.1", "x/m"] {
        server.get(&format!("/v1/models/{unknown}")).await.refused(404, "model_not_found", "model");
    }

    let response = respond(&server, json!({"model": "c/m-large", "input": "hi"})).await;
    assert_eq!(response["model"], "c/m-large");
    assert_eq!(server.scripted.calls()[0].model, "m-large");
    let unknown = server.post("/v1/responses", json!({"model": "gpt-4o", "input": "hi"})).await;
    unknown.refused(404, "model_not_found", "model");
}

#[tokio::test]
async fn a_response_is_a_turn_and_a_conversation_is_a_session() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    let session = conversation.strip_prefix("conv_").unwrap();
    let first = respond(&server, json!({"model": "c", "conversation": conversation, "input": "one"})).await;
    assert_eq!((first["status"].as_str(), said(&first)), (Some("completed"), "ok"));
    assert_eq!(first["conversation"]["id"], *conversation);

    server.chat(session, "two").await.expect(200);
    respond(&server, json!({"model": "c", "conversation": {"id": conversation}, "input": "three"})).await;
    let sent = server.scripted.calls()[2].messages();
    let sent: Vec<&str> = sent.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(sent, ["one", "ok", "two", "ok", "three"]);

    let turn = id(&first).strip_prefix("resp_").unwrap();
    assert_eq!(server.get(&format!("/turns/{turn}")).await.expect(200)["message"]["content"], "ok");
    assert_eq!(server.get(&format!("/v1/responses/{}", id(&first))).await.expect(200), first);
    // A client's own id for its session maps, too.
    server.session("conv_mine").await;
    assert_eq!(id(&server.get("/v1/conversations/conv_conv_mine").await.expect(200)), "conv_conv_mine");
}

#[tokio::test]
async fn a_previous_response_is_continued_and_its_instructions_are_not_carried_over() {
    let server = Server::start().await;
    let first = respond(&server, json!({"model": "c", "input": "one", "instructions": "be brief"})).await;
    assert_eq!((&first["instructions"], &first["previous_response_id"]), (&json!("be brief"), &Value::Null));
    let second = respond(&server, json!({"model": "c", "input": "two", "previous_response_id": id(&first)})).await;
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_eq!(second["conversation"], first["conversation"]);
    // A branch from an earlier one.
    let third = respond(&server, json!({"model": "c", "input": "three", "previous_response_id": id(&first)})).await;
    assert_eq!(third["conversation"], first["conversation"]);
    let sent: Vec<_> = server.scripted.calls().iter().map(|call| call.messages()).collect();
    let texts = |at: usize| sent[at].iter().map(|(_, text): &(String, String)| text.as_str()).collect::<Vec<_>>();
    assert_eq!(texts(0), ["be brief", "one"]);
    assert_eq!(texts(1), ["one", "ok", "two"]);
    assert_eq!(texts(2), ["one", "ok", "three"]);
}

#[tokio::test]
async fn what_was_asked_for_reaches_the_model_and_is_given_back() {
    let server = Server::start().await;
    let tool = json!({"type": "function", "name": "look", "description": "d", "parameters": {"type": "object"}, "strict": true});
    let format = json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true});
    let response = respond(
        &server,
        json!({
            "model": "c", "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 99, "tools": [tool],
            "tool_choice": {"type": "function", "name": "look"}, "parallel_tool_calls": false,
            "text": {"format": format}, "reasoning": {"effort": "low"}, "metadata": {"k": "v"},
            "truncation": "auto", "include": [], "user": "u", "store": true, "service_tier": null,
            "input": [
                {"role": "developer", "content": "rules"},
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "what is it?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                ]},
            ],
        }),
    )
    .await;
    let sent: Value = serde_json::from_slice(&server.scripted.calls()[0].body).unwrap();
    assert_eq!(sent["tools"][0]["function"]["name"], "look");
    assert_eq!(sent["tool_choice"], json!({"type": "function", "function": {"name": "look"}}));
    assert_eq!(sent["response_format"]["json_schema"]["name"], "n");
    assert_eq!((&sent["reasoning_effort"], &sent["parallel_tool_calls"]), (&json!("low"), &json!(false)));
    assert_eq!((&sent["messages"][0]["role"], &sent["messages"][0]["content"]), (&json!("system"), &json!("rules")));
    assert_eq!(sent["messages"][1]["content"][1]["image_url"]["url"], "data:image/png;base64,AA==");

    let expected = [
        ("/temperature", json!(0.5)),
        ("/top_p", json!(0.25)),
        ("/max_output_tokens", json!(99)),
        ("/tools", json!([tool])),
        ("/tool_choice", json!({"type": "function", "name": "look"})),
        ("/parallel_tool_calls", json!(false)),
        ("/text/format", format),
        ("/reasoning/effort", json!("low")),
        ("/metadata", json!({"k": "v"})),
        ("/usage/total_tokens", json!(0)),
    ];
    for (path, value) in expected {
        assert_eq!(response.pointer(path), Some(&value), "{path}");
    }
    let items = server.get(&format!("/v1/responses/{}/input_items?order=asc", id(&response))).await.expect(200);
    let roles: Vec<&str> = items["data"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user"]);
    assert_eq!(items["data"][1]["content"][1]["type"], "input_image");
}

#[tokio::test]
async fn a_function_call_and_its_output() {
    let server = Server::start().await;
    server.scripted.then([call("call_1", "look", "{\"x\":1}"), calls()]);
    let conversation = conversation(&server).await;
    let first = respond(&server, json!({"model": "c", "conversation": conversation, "input": "look"})).await;
    let made = &first["output"][0];
    assert_eq!(
        (&made["type"], &made["call_id"], &made["name"]),
        (&json!("function_call"), &json!("call_1"), &json!("look"))
    );

    let output = json!({"type": "function_call_output", "call_id": "call_1", "output": "a cat"});
    let both = json!([{"role": "user", "content": "well?"}, output]);
    let second = respond(&server, json!({"model": "c", "conversation": conversation, "input": both})).await;
    assert_eq!(said(&second), "ok");
    let sent = server.scripted.calls()[1].messages();
    let roles: Vec<&str> = sent.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user"], "the output stands behind its call");

    let items = server.get(&format!("/v1/conversations/{conversation}/items?order=asc")).await.expect(200);
    let types: Vec<&str> = items["data"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["message", "function_call", "function_call_output", "message", "message"]);

    for (previous, call, code) in
        [(&first, "call_2", "no_such_tool_call"), (&second, "call_1", "tool_calls_superseded")]
    {
        let output = json!([{"type": "function_call_output", "call_id": call, "output": "x"}]);
        let body = json!({"model": "c", "previous_response_id": id(previous), "input": output});
        server.post("/v1/responses", body).await.refused(400, code, "input");
    }
}

#[tokio::test]
async fn a_stream_ends_with_what_a_poll_gives_and_goes_on_only_as_a_stream() {
    let server = Server::start().await;
    server.scripted.then([Step::text("Hel"), Step::text("lo"), call("a", "f", "{}"), calls()]);
    let answer = server.post("/v1/responses", json!({"model": "c", "input": "hi", "stream": true})).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    let events = events(&answer);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    let path = format!("/v1/responses/{}", id(&last["response"]));
    assert_eq!(server.get(&path).await.expect(200), last["response"]);
    let alone = server.get(&format!("{path}?starting_after=1")).await;
    alone.refused(400, "invalid_value", "starting_after");
}

#[tokio::test]
async fn a_background_response_is_polled_and_a_second_one_waits_its_turn_and_is_cancelled() {
    let server = Server::start().await;
    let gate = Gate::default();
    server.scripted.then([Step::text("so"), Step::Wait(gate.clone()), Step::text(" far"), Step::stop()]);
    let conversation = conversation(&server).await;
    let body = json!({"model": "c", "conversation": conversation, "input": "go", "background": true});
    let running = respond(&server, body.clone()).await;
    gate.reached(1).await;
    let path = format!("/v1/responses/{}", id(&running));
    assert_eq!(server.get(&path).await.expect(200)["status"], "in_progress");

    let waiting = respond(&server, body).await;
    assert_eq!((&waiting["status"], &waiting["output"]), (&json!("queued"), &json!([])));
    let waiting_path = format!("/v1/responses/{}", id(&waiting));
    let items = server.get(&format!("{waiting_path}/input_items")).await.expect(200);
    assert_eq!(items["data"][0]["content"][0]["text"], "go");
    // Nothing continues what has not begun; a 409 would be tried again by the client itself.
    let after = json!({"model": "c", "previous_response_id": id(&waiting), "input": "x"});
    server.post("/v1/responses", after).await.refused(400, "previous_response_not_started", "previous_response_id");
    let cancelled = server.post(&format!("{waiting_path}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(events(&server.get(&format!("{waiting_path}?stream=true")).await).len(), 3);

    gate.open();
    let ended = events(&server.get(&format!("{path}?stream=true")).await);
    assert_eq!(said(&ended.last().unwrap()["response"]), "so far");
    let again = server.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    assert_eq!(again["status"], "completed", "too late, and not an error");
}

#[tokio::test]
async fn a_failed_turn_is_an_error_that_clients_do_not_send_again() {
    let server = Server::start().await;
    server.scripted.then([Step::fail(FailureCode::UpstreamRejected)]);
    let failed = server.post("/v1/responses", json!({"model": "c", "input": "hi"})).await;
    failed.refused(502, "upstream_rejected", "");
    assert_eq!(failed.header("x-should-retry"), "false");

    server.scripted.then([Step::text("Hel"), Step::fail(FailureCode::UpstreamError)]);
    let stream = events(&server.post("/v1/responses", json!({"model": "c", "input": "hi", "stream": true})).await);
    let last = stream.last().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["error"]["code"]),
        (&json!("response.failed"), &json!("server_error"))
    );
    assert_eq!(said(&last["response"]), "Hel", "what was said is kept");
}

#[tokio::test]
async fn one_key_makes_one_response() {
    let server = Server::start().await;
    let body = json!({"model": "c", "input": "hi"});
    let send = |body: Value| server.ask(Method::POST, "/v1/responses", &[("idempotency-key", "k")], Some(body));
    let first = send(body.clone()).await.expect(200);
    assert_eq!(send(body).await.expect(200), first);
    assert_eq!(server.scripted.calls().len(), 1);
}

#[tokio::test]
async fn a_retry_joins_its_response_though_what_it_names_was_deleted() {
    let server = Server::start().await;
    let before = server.post("/v1/responses", json!({"model": "c", "input": "hi"})).await.expect(200);
    let body = json!({"model": "c", "input": "and?", "previous_response_id": id(&before)});
    let send = |body: Value| server.ask(Method::POST, "/v1/responses", &[("idempotency-key", "k")], Some(body));
    let first = send(body.clone()).await.expect(200);
    server.ask(Method::DELETE, &format!("/v1/responses/{}", id(&before)), &[], None).await.expect(200);
    assert_eq!(id(&send(body.clone()).await.expect(200)), id(&first));
    let other = json!({"model": "c", "input": "or?", "previous_response_id": id(&before)});
    send(other).await.refused(422, "idempotency_key_reused", "idempotency-key");
    server.post("/v1/responses", body).await.refused(400, "previous_response_not_found", "previous_response_id");
    assert_eq!(server.scripted.calls().len(), 2);
}

#[tokio::test]
async fn conversations_are_made_read_changed_and_deleted() {
    let server = Server::start().await;
    let made = server.post("/v1/conversations", json!({"metadata": {"topic": "demo"}})).await.expect(200);
    assert_eq!((&made["object"], &made["metadata"]), (&json!("conversation"), &json!({"topic": "demo"})));
    assert!(made["created_at"].is_u64());
    let path = format!("/v1/conversations/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = server.post(&path, json!({"metadata": {"topic": "other"}})).await.expect(200);
    assert_eq!(changed["metadata"]["topic"], "other");
    let unchanged = server.post(&path, json!({})).await.expect(200);
    assert_eq!(unchanged["metadata"]["topic"], "other", "what is not named stays");
    let deleted = server.ask(Method::DELETE, &path, &[], None).await.expect(200);
    assert_eq!((&deleted["deleted"], id(&deleted)), (&json!(true), id(&made)));
    server.get(&path).await.refused(404, "conversation_not_found", "");
    server.get(&format!("{path}/items")).await.refused(404, "conversation_not_found", "");
}

#[tokio::test]
async fn items_are_listed_page_by_page_in_either_order_and_read_alone() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    for turn in 0..3 {
        server.scripted.then([Step::text(&format!("a{turn}")), call("x", "f", "{}"), Step::stop()]);
        respond(&server, json!({"model": "c", "conversation": conversation, "input": format!("q{turn}")})).await;
    }
    let path = format!("/v1/conversations/{conversation}/items");
    let whole = server.get(&format!("{path}?order=asc&limit=100")).await.expect(200)["data"].clone();
    let whole = whole.as_array().unwrap();
    assert_eq!(whole.len(), 9);
    for (order, limit) in [("asc", 1), ("asc", 2), ("desc", 4)] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("{path}?order={order}&limit={limit}{after}")).await.expect(200);
            found.extend(page["data"].as_array().unwrap().clone());
            if page["has_more"] == false {
                break;
            }
            after = format!("&after={}", page["last_id"].as_str().unwrap());
        }
        if order == "desc" {
            found.reverse();
        }
        assert_eq!(&found, whole, "{order}, {limit} at a time");
    }
    for item in whole {
        assert_eq!(server.get(&format!("{path}/{}", id(item))).await.expect(200), *item);
    }
    server.get(&format!("{path}/msg_0")).await.refused(404, "item_not_found", "");
    let other = conversation_with_one(&server).await;
    let foreign = format!("/v1/conversations/{other}/items?after={}", id(&whole[0]));
    server.get(&foreign).await.refused(400, "invalid_cursor", "after");
}

async fn conversation_with_one(server: &Server) -> String {
    let conversation = conversation(server).await;
    respond(server, json!({"model": "c", "conversation": conversation, "input": "q"})).await;
    conversation
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let server = Server::start().await;
    let item = |item: Value| json!({"input": [item]});
    let many: Vec<Value> = (0..1001).map(|_| json!({"role": "user", "content": "x"})).collect();
    let pairs: serde_json::Map<String, Value> = (0..17).map(|at| (format!("k{at}"), json!("v"))).collect();
    let refused = [
        (json!({}), 400, "missing_required_parameter", "input"),
        (json!({"input": ""}), 400, "message_empty", "input"),
        (json!({"input": []}), 400, "invalid_value", "input"),
        (json!({"input": many}), 400, "invalid_value", "input"),
        (json!({"input": "x", "store": false, "background": true}), 400, "invalid_value", "store"),
        (json!({"input": "x", "tools": [{"type": "web_search"}]}), 400, "unsupported_tool", "tools[0].type"),
        (json!({"input": "x", "tool_choice": "maybe"}), 400, "unsupported_parameter", "tool_choice"),
        (json!({"input": "x", "text": {"format": {"type": "xml"}}}), 400, "invalid_value", "text.format.type"),
        (json!({"input": "x", "metadata": {"k": 1}}), 400, "invalid_value", "metadata.k"),
        (json!({"input": "x", "metadata": pairs}), 400, "invalid_value", "metadata"),
        (json!({"input": "x", "max_output_tokens": 0}), 400, "invalid_value", "max_output_tokens"),
        (json!({"input": "x", "temperature": 3}), 400, "invalid_value", "temperature"),
        (json!({"input": "x", "service_tier": "flex"}), 400, "unsupported_parameter", "service_tier"),
        (json!({"input": "x", "prompt": {"id": "p"}}), 400, "unknown_field", "prompt"),
        (item(json!({"type": "item_reference", "id": "msg_1"})), 400, "item_not_found", "input[0].id"),
        (item(json!({"type": "item_reference"})), 400, "invalid_value", "input[0].id"),
        (item(json!({"type": "web_search_call", "id": "ws_1"})), 400, "unsupported_item", "input[0].type"),
        (
            item(json!({"type": "compaction", "encrypted_content": "x"})),
            400,
            "invalid_value",
            "input[0].encrypted_content",
        ),
        (
            item(json!({"type": "reasoning", "summary": [], "encrypted_content": "x"})),
            400,
            "missing_required_parameter",
            "input",
        ),
        (
            item(json!({"type": "function_call", "name": "f", "arguments": "{}"})),
            400,
            "invalid_value",
            "input[0].call_id",
        ),
        (
            item(json!({"type": "function_call", "call_id": "c", "name": "f"})),
            400,
            "invalid_value",
            "input[0].arguments",
        ),
        (item(json!({"role": "nobody", "content": "x"})), 400, "invalid_value", "input[0].role"),
        (item(json!({"role": "assistant", "content": ""})), 400, "message_empty", "input[0].content"),
        (
            item(json!({"role": "user", "content": [{"type": "input_file"}]})),
            400,
            "unsupported_content",
            "input[0].content",
        ),
        (
            item(json!({"type": "function_call_output", "call_id": "a", "output": "x"})),
            400,
            "no_such_tool_call",
            "input",
        ),
        (
            json!({"input": "x", "previous_response_id": "resp_0"}),
            400,
            "previous_response_not_found",
            "previous_response_id",
        ),
        (
            json!({"input": "x", "previous_response_id": "0"}),
            400,
            "previous_response_not_found",
            "previous_response_id",
        ),
        (json!({"input": "x", "conversation": "conv_0"}), 404, "conversation_not_found", "conversation"),
        (
            json!({"input": "x", "conversation": "conv_0", "previous_response_id": "resp_0"}),
            400,
            "mutually_exclusive_parameters",
            "previous_response_id",
        ),
    ];
    for (body, status, code, param) in refused {
        server.post("/v1/responses", body).await.refused(status, code, param);
    }
    server.get("/v1/responses/resp_0").await.refused(404, "response_not_found", "");
    assert!(server.scripted.calls().is_empty(), "no refusal costs a call");
}
