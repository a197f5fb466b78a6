//! What `/v1` promises beyond what its clients expect, over real sockets: a long history, one order, one response for a
//! key, and streams that go on where they were cut.

mod history;
mod order;
mod resume;

use serde_json::{Value, json};

use crate::support::{Client, Stream};

/// A new conversation's id.
async fn conversation(client: &Client) -> String {
    id(&client.post("/v1/conversations", &json!({})).await.expect(200))
}

/// A response of the config `up`, once it has ended.
async fn respond(client: &Client, conversation: &str, input: impl Into<Value>) -> Value {
    client.post("/v1/responses", &ask(conversation, input)).await.expect(200)
}

fn ask(conversation: &str, input: impl Into<Value>) -> Value {
    json!({"model": "up", "conversation": conversation, "input": input.into()})
}

/// The same, answered before it has run.
async fn respond_in_background(client: &Client, conversation: &str, input: &str) -> Value {
    let mut body = ask(conversation, input);
    body["background"] = true.into();
    client.post("/v1/responses", &body).await.expect(200)
}

/// The response, once it has ended.
async fn ended(client: &Client, response: &str) -> Value {
    let events = whole_stream(client, response).await;
    data(events.last().unwrap())["response"].clone()
}

async fn whole_stream(client: &Client, response: &str) -> Vec<String> {
    rest(&mut client.follow(&format!("/v1/responses/{response}?stream=true")).await).await
}

/// The events of a stream to its proper end, as they came: their bytes.
async fn rest(stream: &mut Stream) -> Vec<String> {
    let mut events = Vec::new();
    while let Some(event) = stream.try_next_raw().await.expect("the stream is not cut") {
        events.push(event);
    }
    assert_eq!(events.pop().as_deref(), Some("data: [DONE]\n\n"), "a stream says that it is over: {events:#?}");
    events
}

/// The data of an event; its type is its name.
fn data(event: &str) -> Value {
    let lines: Vec<&str> = event.lines().collect();
    let [name, data, ""] = lines.as_slice() else { panic!("an event has a name and data: {event:?}") };
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(name.strip_prefix("event: "), data["type"].as_str(), "{event}");
    data
}

fn number(event: &str) -> u64 {
    data(event)["sequence_number"].as_u64().unwrap()
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}

/// All that a response or an item says in text.
fn said(object: &Value) -> String {
    let one = std::slice::from_ref(object);
    let items = object["output"].as_array().map_or(one, Vec::as_slice);
    let parts = items.iter().flat_map(|item| item["content"].as_array().map(Vec::as_slice).unwrap_or_default());
    parts.filter_map(|part| part["text"].as_str()).collect()
}
