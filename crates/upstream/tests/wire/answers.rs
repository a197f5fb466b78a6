//! Chat completions, streamed and whole.

use serde_json::{Value, json};
use upstream::{Request, Script, Upstream};

use crate::client::{Client, chunks, user};

#[tokio::test]
async fn without_a_script_the_last_user_message_comes_back() {
    let upstream = Upstream::start().await;
    let mut client = Client::connect(&upstream).await;

    client.send(&user("你好", false)).await;
    let (head, body) = client.read_whole().await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"));
    assert_eq!(body["choices"][0]["message"]["content"], "You said: 你好");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["model"], "m");

    client.send(&user("again", true)).await;
    let body = client.read_stream().await;
    assert!(body.ends_with("data: [DONE]\n\n"));
    assert_eq!(content(&chunks(&body)), "You said: again");
    assert_eq!(chunks(&body).last().expect("chunks")["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn a_stream_carries_usage_only_when_asked() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::text("hi").openai_usage(7, 3, 5, 2));
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    assert!(!client.read_stream().await.contains("usage"));

    let mut asking = user("q", true);
    asking["stream_options"] = json!({"include_usage": true});
    client.send(&asking).await;
    let chunks = chunks(&client.read_stream().await);
    let last = chunks.last().expect("chunks");
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 5);
    assert_eq!(last["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
}

#[tokio::test]
async fn reasoning_and_tool_calls_come_in_pieces() {
    let upstream = Upstream::start().await;
    let arguments = r#"{"city":"caf\u00e9 你"}"#;
    upstream.respond(move |_| {
        let inside_the_escape = arguments.find("00e9").expect("the escape");
        Script::deltas(["a"]).reasoning("think hard").tool_call_split(
            "call_1",
            "weather",
            arguments,
            &[inside_the_escape],
        )
    });
    let mut client = Client::connect(&upstream).await;

    client.send(&user("q", true)).await;
    let chunks = chunks(&client.read_stream().await);
    let delta = |index: usize| &chunks[index]["choices"][0]["delta"];
    assert_eq!(delta(0), &json!({"role": "assistant", "content": ""}));
    assert_eq!(delta(1), &json!({"reasoning_content": "think"}));
    assert_eq!(delta(3), &json!({"content": "a"}));
    assert_eq!(delta(4)["tool_calls"][0]["function"], json!({"name": "weather", "arguments": ""}));
    assert_eq!(delta(5)["tool_calls"][0]["function"]["arguments"], r#"{"city":"caf\u"#);
    assert_eq!(delta(6)["tool_calls"][0]["function"]["arguments"], r#"00e9 你"}"#);
    assert_eq!(chunks[7]["choices"][0]["finish_reason"], "tool_calls");

    client.send(&user("q", false)).await;
    let body: Value = serde_json::from_str(&client.read_whole().await.1).expect("JSON");
    let message = &body["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "think hard");
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], arguments);
}

#[tokio::test]
async fn a_list_of_models_needs_no_script_and_no_number() {
    let upstream = Upstream::start().await;
    let mut client = Client::connect(&upstream).await;

    client.write("GET /v1/models HTTP/1.1\r\nauthorization: Bearer sk-1\r\n\r\n").await;
    let body: Value = serde_json::from_str(&client.read_whole().await.1).expect("JSON");
    assert_eq!(body["data"][0]["id"], "model-small");
    assert_eq!(upstream.received(), 0);
    assert_eq!(upstream.lookups()[0].request.bearer(), Some("sk-1"));
}

#[tokio::test]
async fn chunked_requests_are_read() {
    let upstream = Upstream::start().await;
    let mut client = Client::connect(&upstream).await;

    client
        .write("POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n")
        .await;
    client.read_whole().await;
    assert_eq!(upstream.requests()[0].request.json(), &json!({"a": 1}));
}

#[tokio::test]
async fn prerendered_bytes_are_the_rendered_ones() {
    let upstream = Upstream::start().await;
    let asking = user("q", true);
    let plain = Script::text("one two three").tokens_per_second(1000.0);
    let ready = plain.prerendered(&Request::sample(&asking));
    let mut bodies = Vec::new();
    for script in [plain, ready] {
        // A fresh server each, so that both answers carry the same number.
        let upstream = Upstream::start().await;
        upstream.respond(move |_| script.clone());
        let mut client = Client::connect(&upstream).await;
        client.send(&asking).await;
        bodies.push(client.read_stream().await);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(upstream.received(), 0);
}

fn content(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}
