//! Items and responses deleted on `/v1`, and what every surface shows of it.

use http::Method;
use provider::scripted::{Gate, Step};
use serde_json::{Value, json};
use session::event::{Delta, ReasoningKind};

use crate::{
    openai::{calls, conversation, events, id, respond},
    rig::{Answer, Server},
};

fn thought(text: &str) -> Step {
    Step::Delta(Delta::Reasoning { text: text.to_owned(), kind: ReasoningKind::Text })
}

fn call(index: u32, id: &str) -> Step {
    let (id, name) = (Some(id.to_owned()), Some("look".to_owned()));
    Step::Delta(Delta::ToolCall { index, id, name, arguments: "{}".into() })
}

async fn delete(server: &Server, path: &str) -> Answer {
    server.ask(Method::DELETE, path, &[], None).await
}

async fn items(server: &Server, conversation: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{conversation}/items?order=asc&limit=100");
    server.get(&path).await.expect(200)["data"].as_array().unwrap().clone()
}

/// What an item is and says.
fn shown(item: &Value) -> String {
    let text = item["content"][0]["text"].as_str().or(item["output"].as_str()).or(item["call_id"].as_str());
    format!("{} {}", item["type"].as_str().unwrap(), text.unwrap_or_default())
}

async fn shown_items(server: &Server, conversation: &str) -> Vec<String> {
    items(server, conversation).await.iter().map(shown).collect()
}

/// A conversation with one turn, whose answer has every kind of item.
async fn one_of_each(server: &Server) -> (String, Value) {
    let conversation = conversation(server).await;
    let response = ask_for_each(server, &conversation).await;
    (conversation, response)
}

async fn ask_for_each(server: &Server, conversation: &str) -> Value {
    let steps = [thought("hm"), Step::text("look here"), call(0, "a"), call(1, "b"), call(2, "c"), calls()];
    server.scripted.then(steps);
    respond(server, json!({"model": "c", "conversation": conversation, "input": "what is it?"})).await
}

#[tokio::test]
async fn an_answer_is_deleted_item_by_item_and_the_others_keep_their_ids() {
    let server = Server::start().await;
    let (conversation, response) = one_of_each(&server).await;
    let of_response = format!("/v1/responses/{}", id(&response));
    let mut left = items(&server, &conversation).await;
    assert_eq!(left.len(), 6);
    let object = server.get(&format!("/v1/conversations/{conversation}")).await.expect(200);
    // The first call, the words, the last call, the question, the thoughts, and then nothing is left.
    for at in [3, 2, 3, 0, 0, 0] {
        let gone = left.remove(at);
        let path = format!("/v1/conversations/{conversation}/items/{}", id(&gone));
        assert_eq!(server.get(&path).await.expect(200), gone);
        assert_eq!(delete(&server, &path).await.expect(200), object);
        server.get(&path).await.refused(404, "item_not_found", "");
        delete(&server, &path).await.refused(404, "item_not_found", "");

        assert_eq!(items(&server, &conversation).await, left);
        let answered: Vec<&Value> = left.iter().filter(|item| item["role"] != "user").collect();
        let polled = server.get(&of_response).await.expect(200);
        assert_eq!(polled["output"].as_array().unwrap().iter().collect::<Vec<_>>(), answered);
        let replayed = events(&server.get(&format!("{of_response}?stream=true")).await);
        assert_eq!(replayed.last().unwrap()["response"], polled);
    }
    assert!(left.is_empty());
    assert_eq!(server.get(&of_response).await.expect(200)["status"], "completed");
}

#[tokio::test]
async fn items_can_be_deleted_while_they_are_listed() {
    let server = Server::start().await;
    for (order, limit) in [("asc", 1), ("asc", 4), ("desc", 1), ("desc", 5)] {
        let conversation = conversation(&server).await;
        respond(&server, json!({"model": "c", "conversation": conversation, "input": "well?"})).await;
        ask_for_each(&server, &conversation).await;
        let mut whole = items(&server, &conversation).await;
        if order == "desc" {
            whole.reverse();
        }
        let path = format!("/v1/conversations/{conversation}/items");
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("{path}?order={order}&limit={limit}{after}")).await.expect(200);
            for item in page["data"].as_array().unwrap() {
                delete(&server, &format!("{path}/{}", id(item))).await.expect(200);
                found.push(item.clone());
            }
            if page["has_more"] == false {
                break;
            }
            after = format!("&after={}", page["last_id"].as_str().unwrap());
        }
        assert_eq!(found, whole, "{order}, {limit} at a time");
        assert_eq!(items(&server, &conversation).await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn what_is_deleted_is_on_no_surface() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    let session = conversation.strip_prefix("conv_").unwrap();
    server.patch(&format!("/sessions/{session}"), json!({"title": "T"})).await.expect(200);
    let cursor = server.get(&format!("/sessions/{session}")).await.expect(200)["cursor"].clone();
    let feed = format!("/events?watch={session}&after={}", cursor.as_str().unwrap());
    server.scripted.then([Step::text("the orchid"), Step::stop()]);
    let first = respond(&server, json!({"model": "c", "conversation": conversation, "input": "a tulip"})).await;
    respond(&server, json!({"model": "c", "conversation": conversation, "input": "next"})).await;
    while server.store.index_some(64).await.unwrap() > 0 {}
    let turn = id(&first).strip_prefix("resp_").unwrap();
    let prompt = format!("/turns/{turn}/prompt");
    assert_eq!(server.get(&prompt).await.expect(200)["exact"], true);

    for item in &items(&server, &conversation).await[..2] {
        delete(&server, &format!("/v1/conversations/{conversation}/items/{}", id(item))).await.expect(200);
    }
    for path in [
        format!("/v1/conversations/{conversation}/items"),
        format!("/v1/responses/{}", id(&first)),
        format!("/v1/responses/{}?stream=true", id(&first)),
        format!("/v1/responses/{}/input_items", id(&first)),
        format!("/sessions/{session}"),
        format!("/sessions/{session}/messages"),
        format!("/sessions/{session}/turns"),
        format!("/sessions/{session}/export"),
        format!("/sessions/{session}/export?format=markdown"),
        format!("/turns/{turn}"),
        format!("/turns/{turn}/events"),
        prompt.clone(),
        "/search?q=orchid".into(),
        "/search?q=tulip".into(),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("orchid") && !answer.text().contains("tulip"), "{path}: {}", answer.text());
    }
    assert_eq!(server.get(&prompt).await.expect(200)["exact"], false, "what was sent is known by its hash alone");
    let read = server.get(&format!("/turns/{turn}")).await.expect(200);
    assert_eq!((&read["status"], &read["message"]), (&json!("completed"), &Value::Null));

    // A follower that was away hears of the turn as it is now, and that something is gone.
    let mut feed = server.follow(&feed).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|(name, _): &(String, Value)| name != "message.deleted") {
        heard.push(feed.next().await);
    }
    assert!(!format!("{heard:?}").contains("orchid"), "{heard:?}");
    let ended: Vec<&Value> = heard.iter().filter(|(name, _)| name == "turn.completed").map(|(_, data)| data).collect();
    assert_eq!((&ended[0]["turn_id"], &ended[0]["message"]), (&json!(turn), &Value::Null));
    assert_eq!(ended[1]["message"]["content"], "ok", "the other turn is told of whole");
    assert_eq!(heard.last().unwrap().1, json!({"session_id": session, "turn_id": turn}));
}

#[tokio::test]
async fn a_later_turn_is_sent_what_is_left_and_calls_stay_with_their_results() {
    let server = Server::start().await;
    let (conversation, _) = one_of_each(&server).await;
    let output =
        |call: &str| json!({"type": "function_call_output", "call_id": call, "output": format!("seen {call}")});
    let outputs = json!([output("a"), output("b"), output("c")]);
    respond(&server, json!({"model": "c", "conversation": conversation, "input": outputs})).await;
    for gone in ["message what is it?", "function_call a", "function_call_output seen b"] {
        let found = items(&server, &conversation).await.into_iter().find(|item| shown(item) == gone).unwrap();
        delete(&server, &format!("/v1/conversations/{conversation}/items/{}", id(&found))).await.expect(200);
    }
    let left = ["reasoning hm", "message look here", "function_call b", "function_call c"];
    let rest = ["function_call_output seen a", "function_call_output seen c", "message ok"];
    assert_eq!(shown_items(&server, &conversation).await, [&left[..], &rest[..]].concat());

    respond(&server, json!({"model": "c", "conversation": conversation, "input": "next"})).await;
    let sent = server.scripted.calls().last().unwrap().messages();
    let sent: Vec<String> = sent.iter().map(|(role, text)| format!("{role}: {text}")).collect();
    let expected =
        ["assistant: look here", "tool: (no result was given)", "tool: seen c", "assistant: ok", "user: next"];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn items_that_were_put_in_are_deleted_one_by_one() {
    let server = Server::start().await;
    let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "look", "arguments": "{}"});
    let put_in = json!([
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        call("a"), call("b"),
        {"type": "function_call_output", "call_id": "a", "output": ""},
        {"role": "assistant", "content": "so it is"},
    ]);
    let made = server.post("/v1/conversations", json!({"items": put_in})).await.expect(200);
    let path = format!("/v1/conversations/{}/items", id(&made));
    let mut left = items(&server, id(&made)).await;
    assert_eq!(left.len(), 7);
    for at in [3, 1, 4, 0, 1, 1, 0] {
        let gone = left.remove(at);
        delete(&server, &format!("{path}/{}", id(&gone))).await.expect(200);
        delete(&server, &format!("{path}/{}", id(&gone))).await.refused(404, "item_not_found", "");
        assert_eq!(items(&server, id(&made)).await, left, "without {}", shown(&gone));
    }
    respond(&server, json!({"model": "c", "conversation": id(&made), "input": "next"})).await;
    assert_eq!(server.scripted.calls()[0].messages(), [("user".to_owned(), "next".to_owned())]);
}

#[tokio::test]
async fn a_conversation_does_not_wait_for_the_outputs_of_calls_that_are_gone() {
    let server = Server::start().await;
    let (conversation, _) = one_of_each(&server).await;
    let body = json!({"model": "c", "conversation": conversation, "input": "next", "background": true});
    let waiting = respond(&server, body).await;
    let status = async || server.get(&format!("/v1/responses/{}", id(&waiting))).await.expect(200)["status"].clone();
    for item in &items(&server, &conversation).await[3..] {
        assert_eq!((&item["type"], status().await), (&json!("function_call"), json!("queued")));
        delete(&server, &format!("/v1/conversations/{conversation}/items/{}", id(item))).await.expect(200);
    }
    assert_ne!(status().await, "queued", "it began in the moment that the last call went");
}

#[tokio::test]
async fn the_input_of_a_running_turn_can_be_deleted_and_that_of_a_queued_one_is_not_there_yet() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    let gate = Gate::default();
    server.scripted.then([Step::Wait(gate.clone()), Step::text("late"), Step::stop()]);
    let body = |input: &str| json!({"model": "c", "conversation": conversation, "input": input, "background": true});
    let running = respond(&server, body("one")).await;
    let waiting = respond(&server, body("two")).await;
    gate.reached(1).await;
    let input = |response: &Value| format!("/v1/responses/{}/input_items", id(response));
    let item = async |response: &Value| server.get(&input(response)).await.expect(200)["data"][0].clone();
    let path = |item: &Value| format!("/v1/conversations/{conversation}/items/{}", id(item));
    delete(&server, &path(&item(&waiting).await)).await.refused(404, "item_not_found", "");
    delete(&server, &path(&item(&running).await)).await.expect(200);
    gate.open();
    events(&server.get(&format!("/v1/responses/{}?stream=true", id(&waiting))).await);
    assert_eq!(shown_items(&server, &conversation).await, ["message late", "message two", "message ok"]);
    let turn = id(&running).strip_prefix("resp_").unwrap();
    server.post(&format!("/turns/{turn}/retry"), json!({})).await.refused(409, "message_deleted", "");
}

#[tokio::test]
async fn a_deleted_response_is_not_found_and_what_was_said_stays() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    let first = respond(&server, json!({"model": "c", "conversation": conversation, "input": "one"})).await;
    let path = format!("/v1/responses/{}", id(&first));
    let deleted = delete(&server, &path).await.expect(200);
    assert_eq!(deleted, json!({"id": id(&first), "object": "response", "deleted": true}));
    for path in [path.clone(), format!("{path}?stream=true"), format!("{path}/input_items")] {
        server.get(&path).await.refused(404, "response_not_found", "");
    }
    server.post(&format!("{path}/cancel"), json!({})).await.refused(404, "response_not_found", "");
    delete(&server, &path).await.refused(404, "response_not_found", "");
    let after = json!({"model": "c", "previous_response_id": id(&first), "input": "x"});
    server.post("/v1/responses", after).await.refused(400, "previous_response_not_found", "previous_response_id");

    assert_eq!(shown_items(&server, &conversation).await, ["message one", "message ok"]);
    let turn = id(&first).strip_prefix("resp_").unwrap();
    assert_eq!(server.get(&format!("/turns/{turn}")).await.expect(200)["message"]["content"], "ok");
    respond(&server, json!({"model": "c", "conversation": conversation, "input": "two"})).await;
    assert_eq!(server.scripted.calls().last().unwrap().messages().len(), 3);
}

#[tokio::test]
async fn a_deleted_response_of_a_chain_is_erased_and_its_children_stay() {
    let server = Server::start().await;
    let first = respond(&server, json!({"model": "c", "input": "the password is swordfish"})).await;
    let after = json!({"model": "c", "previous_response_id": id(&first), "input": "two"});
    let second = respond(&server, after).await;
    let mut feed = server.follow("/events").await;
    delete(&server, &format!("/v1/responses/{}", id(&first))).await.expect(200);
    assert_eq!(feed.named("message.deleted").await["turn_id"], id(&first).strip_prefix("resp_").unwrap());

    let conversation = second["conversation"]["id"].as_str().unwrap();
    assert_eq!(shown_items(&server, conversation).await, ["message two", "message ok"]);
    let session = conversation.strip_prefix("conv_").unwrap();
    for path in [format!("/sessions/{session}"), format!("/sessions/{session}/turns"), "/search?q=swordfish".into()] {
        assert!(!server.get(&path).await.text().contains("swordfish"), "{path}");
    }
    let after = json!({"model": "c", "previous_response_id": id(&second), "input": "three"});
    respond(&server, after).await;
    assert_eq!(server.scripted.calls().last().unwrap().messages().len(), 3, "the deleted exchange is not sent");
}

#[tokio::test]
async fn a_response_that_has_not_ended_is_cancelled_and_deleted() {
    let server = Server::start().await;
    let conversation = conversation(&server).await;
    let gate = Gate::default();
    server.scripted.then([Step::text("so"), Step::Wait(gate.clone()), Step::stop()]);
    let body = json!({"model": "c", "conversation": conversation, "input": "go", "background": true});
    let (running, waiting) = (respond(&server, body.clone()).await, respond(&server, body).await);
    gate.reached(1).await;
    for response in [&waiting, &running] {
        let path = format!("/v1/responses/{}", id(response));
        delete(&server, &path).await.expect(200);
        server.get(&path).await.refused(404, "response_not_found", "");
        let turn = id(response).strip_prefix("resp_").unwrap();
        assert_eq!(server.get(&format!("/turns/{turn}")).await.expect(200)["status"], "cancelled");
    }
    assert_eq!(shown_items(&server, &conversation).await, ["message go", "message so"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_deleted() {
    let server = Server::start().await;
    let (here, response) = one_of_each(&server).await;
    let (there, _) = one_of_each(&server).await;
    let turn = id(&response).strip_prefix("resp_").unwrap();
    let answer = server.get(&format!("/turns/{turn}")).await.expect(200)["message"]["id"].clone();
    let of_answer = format!("msg_{}", answer.as_str().unwrap());
    let unknown =
        ["msg_0", "x", &format!("fc_{turn}_3"), &format!("fc_{turn}_01"), &format!("fco_{turn}_0"), &of_answer];
    for item in unknown {
        delete(&server, &format!("/v1/conversations/{here}/items/{item}")).await.refused(404, "item_not_found", "");
    }
    for item in items(&server, &here).await {
        let path = format!("/v1/conversations/{there}/items/{}", id(&item));
        delete(&server, &path).await.refused(404, "item_not_found", "");
    }
    delete(&server, "/v1/conversations/conv_0/items/msg_0").await.refused(404, "conversation_not_found", "");
    for response in ["resp_0", "0"] {
        delete(&server, &format!("/v1/responses/{response}")).await.refused(404, "response_not_found", "");
    }
    assert_eq!(items(&server, &here).await.len(), 6);
}
