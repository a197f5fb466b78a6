//! Chat completions and Anthropic's messages over real sockets: what reaches the upstream, and what is left when a
//! client goes.

use serde_json::{Value, json};
use upstream::{Outcome, Script, Step};

use crate::support::{Lab, eventually};

const PATHS: [&str; 2] = ["/v1/chat/completions", "/v1/messages"];

/// A request that both formats take.
fn ask(text: &str) -> Value {
    json!({"model": "up", "max_tokens": 99, "messages": [{"role": "user", "content": text}]})
}

fn with(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn text(path: &str, answer: &Value) -> String {
    let text =
        if path == PATHS[0] { &answer["choices"][0]["message"]["content"] } else { &answer["content"][0]["text"] };
    text.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn the_upstream_gets_the_whole_request_and_the_server_keeps_nothing() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| Script::text(&format!("answer to {}", request.last_user_message())));
    let secret = "never to be written down";
    let extra = json!({"a_field_of_tomorrow": {"x": [1, null]}, "reasoning_effort": "low", "store": true});
    let answer = lab.client.post(PATHS[0], &with(ask(secret), extra)).await.expect(200);
    assert_eq!(text(PATHS[0], &answer), format!("answer to {secret}"));
    let sent = lab.upstream.requests()[0].request.json().clone();
    assert_eq!((&sent["a_field_of_tomorrow"], &sent["reasoning_effort"]), (&json!({"x": [1, null]}), &json!("low")));
    assert_eq!((&sent["model"], &sent["stream"], &sent["store"]), (&json!("model-small"), &json!(true), &Value::Null));
    assert_eq!(sent["messages"], json!([{"role": "user", "content": secret}]));

    let answer = lab.client.post(PATHS[1], &with(ask(secret), json!({"system": "s", "top_k": 5}))).await.expect(200);
    assert_eq!(text(PATHS[1], &answer), format!("answer to {secret}"));
    let sent = lab.upstream.requests()[1].request.json().clone();
    assert_eq!((&sent["top_k"], &sent["messages"][0]), (&json!(5), &json!({"role": "system", "content": "s"})));

    for table in ["chat_sessions", "chat_turns", "chat_messages", "idempotency_keys"] {
        assert_eq!(lab.home.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(lab.home.files_with(secret.as_bytes()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_client_that_goes_ends_a_call_that_nobody_else_wants() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["one ", "two"]).at(1, Step::gate("half")));
    for (at, path) in PATHS.into_iter().enumerate() {
        // In the middle of a stream,
        drop(lab.client.post_stream(path, &with(ask("hi"), json!({"stream": true}))).await);
        lab.upstream.wait_for_left(2 * at + 1).await;
        // and while it waits for the whole.
        let client = lab.client.clone();
        let waiting = tokio::spawn(async move { client.try_post(path, &ask("hi")).await });
        lab.upstream.wait_at_gate("half", 1).await;
        waiting.abort();
        lab.upstream.wait_for_left(2 * at + 2).await;
    }
    assert!(lab.upstream.requests().iter().all(|exchange| exchange.outcome == Outcome::ClientLeft));
}

#[tokio::test]
async fn a_sessions_turn_goes_on_without_its_client() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "again" => Script::text("three"),
        session => Script::deltas(["one ", "two"]).at(1, Step::gate(session)),
    });
    for (path, session) in PATHS.into_iter().zip(["a", "b"]) {
        let client = lab.client.with("x-turnwise-session", session);
        drop(client.post_stream(path, &with(ask(session), json!({"stream": true}))).await);
        let waiting = {
            let client = client.clone();
            tokio::spawn(async move { client.try_post(path, &ask("again")).await })
        };
        let queued = format!("SELECT count(*) FROM chat_turns WHERE session_id = '{session}' AND status = 'queued'");
        eventually("the second one to wait", async || (lab.home.number(&queued) == 1).then_some(())).await;
        waiting.abort();
        lab.upstream.open(session);
        let said = eventually("both answers", async || {
            let said = lab.messages(session).await;
            (said.len() == 4).then_some(said)
        });
        let said: Vec<String> = said.await.into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, [session, "one two", "again", "three"]);
    }
    assert!(lab.upstream.requests().iter().all(|exchange| exchange.outcome == Outcome::Completed));
}

#[tokio::test]
async fn a_session_goes_on_from_one_surface_to_the_next() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| Script::text(&format!("answer to {}", request.last_user_message())));
    let client = |lab: &Lab| lab.client.with("x-turnwise-session", "s");
    for (path, said) in PATHS.into_iter().zip(["one", "two"]) {
        let answer = client(&lab).post(path, &ask(said)).await;
        assert_eq!(answer.headers["x-turnwise-session"], "s");
        assert_eq!(text(path, &answer.expect(200)), format!("answer to {said}"));
    }
    lab.chat("s", "three").await;
    let response = json!({"model": "up", "conversation": "conv_s", "input": "four"});
    lab.client.post("/v1/responses", &response).await.expect(200);
    lab.crash().await;
    client(&lab).post(PATHS[0], &ask("five")).await.expect(200);
    let expected: Vec<(String, String)> = ["one", "two", "three", "four", "five"]
        .into_iter()
        .flat_map(|said| [("user".to_owned(), said.to_owned()), ("assistant".to_owned(), format!("answer to {said}"))])
        .collect();
    assert_eq!(lab.messages("s").await, expected);
    assert_eq!(lab.prompts().last().unwrap(), &expected[..9]);
}
