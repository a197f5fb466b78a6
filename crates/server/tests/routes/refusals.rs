//! What a refusal says: what does not fit, what would, and which field is at fault.

use http::Method;
use provider::scripted::Step;
use serde_json::{Value, json};
use session::turn::{Failure, FailureCode};

use crate::rig::{Answer, Server};

fn message(answer: &Answer) -> String {
    answer.expect(400)["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_word_that_is_none_is_answered_with_those_that_are() {
    let server = Server::start().await;
    let table = [
        ("/chat", json!({"message": "x", "if_busy": "later"}), "if_busy", "Known here: queue, reject, interrupt."),
        ("/chat", json!({"message": "x", "on_disconnect": "wait"}), "on_disconnect", "Known here: continue, cancel."),
        ("/sessions", json!({"on_failure": "explode"}), "on_failure", "Known here: continue, pause."),
        ("/sessions", json!({"auto_title": "some"}), "auto_title", "Known here: first_line, model."),
        ("/sessions", json!({"auto_title": "modle"}), "auto_title", "Did you mean `model`?"),
    ];
    for (path, body, param, known) in table {
        let answer = server.post(path, body).await;
        answer.refused(400, "invalid_value", param);
        assert!(message(&answer).ends_with(known), "{}", message(&answer));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_said_with_its_place() {
    let server = Server::start().await;
    let content = "expected a text, or a list of parts";
    let table = [
        (json!({"message": 1}), "invalid_value", "message", content),
        (json!({"message": {"type": "text"}}), "invalid_value", "message", content),
        (json!({"message": ["x"]}), "invalid_value", "message[0]", "expected an object"),
        (json!({"message": [{"text": "x"}]}), "missing_field", "message[0].type", "`type` is missing"),
        (json!({"message": [{"type": "video"}]}), "invalid_value", "message[0].type", "Known here: text, image_url."),
        (json!({"message": [{"type": 1.5}]}), "invalid_value", "message[0].type", "expected a string"),
        (
            json!({"message": [{"type": "text", "txet": "x"}]}),
            "unknown_field",
            "message[0].txet",
            "Did you mean `text`?",
        ),
        (
            json!({"message": [{"type": "image_url", "image_url": {"url": "https://a", "detial": "low"}}]}),
            "unknown_field",
            "message[0].detial",
            "Did you mean `detail`?",
        ),
        (
            json!({"tool_results": [{"tool_call_id": "a", "content": 7}]}),
            "invalid_value",
            "tool_results[0].content",
            content,
        ),
        (json!({"tool_results": [["a", "b"]]}), "invalid_value", "tool_results[0]", "expected an object"),
    ];
    for (body, code, param, says) in table {
        let answer = server.post("/chat", body).await;
        answer.refused(400, code, param);
        assert!(message(&answer).contains(says), "{}", message(&answer));
    }
}

#[tokio::test]
async fn no_refusal_speaks_of_the_programs_types() {
    let server = Server::start().await;
    let wrong = [json!(null), json!(1), json!("x"), json!(true), json!([1]), json!({}), json!([{"type": 5}])];
    let routes = [
        ("/chat", &["message", "tool_results", "stream", "if_busy", "on_disconnect", "parent", "extra", "seed"][..]),
        ("/sessions", &["id", "title", "auto_title", "on_failure", "metadata"]),
        ("/configs", &["name", "window", "timeouts", "max_concurrency", "params", "api_key"]),
        ("/sessions/s/fork", &["turn_id"]),
        ("/turns/t/retry", &["config_id", "if_busy", "on_disconnect"]),
        ("/turns/t/cancel", &["x"]),
        ("/sign-in", &["key"]),
        ("/v1/responses", &["input", "conversation", "text", "reasoning", "tools", "metadata"]),
        ("/v1/conversations", &["items", "metadata"]),
        ("/v1/chat/completions", &["messages", "stream_options", "tools", "metadata"]),
        ("/v1/messages", &["messages", "system", "tool_choice", "thinking", "output_config", "metadata"]),
    ];
    let mut refused = 0;
    for (path, fields) in routes {
        let whole = wrong.iter().cloned();
        let in_fields = fields.iter().flat_map(|field| wrong.iter().map(move |value| json!({ *field: value })));
        for body in whole.chain(in_fields) {
            refused += usize::from(says_nothing_of_types(&server, path, body).await);
        }
    }
    let deeper = [
        ("/chat", json!({"message": [{"type": "text", "text": 1}]})),
        ("/chat", json!({"message": [{"type": "image_url", "image_url": "https://a"}]})),
        ("/configs", json!({"name": "x", "provider": "echo", "window": {"messages": "many"}})),
        ("/v1/chat/completions", json!({"model": "c", "messages": [{"role": "user", "content": 1}]})),
        ("/v1/chat/completions", json!({"model": "c", "messages": [{"role": "user", "content": [1]}]})),
        ("/v1/messages", json!({"model": "c", "max_tokens": 9, "messages": [{"role": "user", "content": 1}]})),
        (
            "/v1/messages",
            json!({"model": "c", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": 1}}]}]}),
        ),
        ("/v1/messages", json!({"model": "c", "max_tokens": 9, "messages": [], "tool_choice": {"type": "some"}})),
        ("/v1/responses", json!({"input": [{"role": "user", "content": [{"type": 1}]}]})),
    ];
    for (path, body) in deeper {
        refused += usize::from(says_nothing_of_types(&server, path, body).await);
    }
    assert!(refused > 250, "{refused}");
}

/// True when it was refused.
async fn says_nothing_of_types(server: &Server, path: &str, body: Value) -> bool {
    let answer = server.ask(Method::POST, path, &[], Some(body.clone())).await;
    if answer.status != 400 {
        return false;
    }
    let says = message(&answer);
    for leak in ["enum ", "struct ", "untagged", "variant", "u32", "u64", "f64"] {
        assert!(!says.contains(leak), "{path} {body}: {says}");
    }
    true
}

#[tokio::test]
async fn a_refused_cursor_is_named_by_the_parameter_it_came_in() {
    let server = Server::start().await;
    server.session("s").await;
    server.chat("s", "hi").await.expect(200);
    for list in ["/sessions", "/sessions/s/messages", "/sessions/s/turns"] {
        for param in ["after", "before"] {
            server.get(&format!("{list}?{param}=zzz")).await.refused(400, "invalid_cursor", param);
        }
        server.get(&format!("{list}?before=a%20b")).await.refused(400, "invalid_cursor", "before");
    }
}

#[tokio::test]
async fn an_unknown_turn_is_named_by_the_field_it_came_in() {
    let server = Server::start().await;
    server.session("s").await;
    server.chat("s", "hi").await.expect(200);
    let parent = json!({"session_id": "s", "message": "x", "parent": "nothing"});
    server.post("/chat", parent).await.refused(404, "turn_not_found", "parent");
    let results =
        json!({"session_id": "s", "tool_results": [{"tool_call_id": "a", "content": "b"}], "parent": "nothing"});
    server.post("/chat", results).await.refused(404, "turn_not_found", "parent");
    server.patch("/sessions/s", json!({"head": "nothing"})).await.refused(404, "turn_not_found", "head");
    server.post("/sessions/s/fork", json!({"turn_id": "nothing"})).await.refused(404, "turn_not_found", "turn_id");
    server.get("/sessions/s/messages?branch=nothing").await.refused(404, "turn_not_found", "branch");
    server.post("/sessions/nowhere/fork", json!({"turn_id": "t"})).await.refused(
        404,
        "session_not_found",
        "session_id",
    );
}

#[tokio::test]
async fn a_config_that_cannot_work_is_refused() {
    let server = Server::start().await;
    let openai = json!({"id": "o", "name": "o", "provider": "openai", "model": "m", "base_url": "http://127.0.0.1:9"});
    server.post("/configs", openai).await.expect(201);
    let with = |provider: &str, fields: Value| {
        let mut body = json!({"name": "x", "provider": provider, "model": "m"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let table = [
        (with("openai", json!({"api_key": ""})), "api_key"),
        (with("openai", json!({"api_key": "a\nb"})), "api_key"),
        (with("openai", json!({"api_key": " "})), "api_key"),
        (with("openai", json!({"base_url": "ftp://a"})), "base_url"),
        (with("echo", json!({"api_key": "sk-1"})), "api_key"),
        (with("echo", json!({"base_url": "http://127.0.0.1:9"})), "base_url"),
        (with("echo", json!({"base_url": "http://127.0.0.1:9", "api_key": "sk-1"})), "base_url"),
    ];
    for (body, param) in table {
        let answer = server.post("/configs", body.clone()).await;
        answer.refused(400, "invalid_value", param);
        assert_eq!(message(&answer).matches(param).count(), 1, "{}", message(&answer));
    }
    for (body, param) in [
        (json!({"api_key": ""}), "api_key"),
        (json!({"api_key": "a\r\nb"}), "api_key"),
        (json!({"base_url": "a.example.com"}), "base_url"),
        (json!({"provider": "echo"}), "base_url"),
        (json!({"provider": "echo", "base_url": null, "api_key": "sk-1"}), "api_key"),
    ] {
        let answer = server.patch("/configs/o", body.clone()).await;
        answer.refused(400, "invalid_value", param);
    }
    server.patch("/configs/o", json!({"api_key": "sk-1"})).await.expect(200);
    let changed = server.patch("/configs/o", json!({"provider": "echo", "base_url": null})).await.expect(200);
    assert_eq!((&changed["has_key"], &changed["base_url"]), (&false.into(), &Value::Null));
}

#[tokio::test]
async fn a_turn_that_failed_says_what_its_upstream_said() {
    let server = Server::start().await;
    let failure = Failure {
        upstream_status: Some(429),
        retry_after_ms: Some(60_000),
        upstream_request_id: Some("req_1".into()),
        ..Failure::new(FailureCode::UpstreamRateLimited, "too much")
    };
    server.session("s").await;
    server.scripted.then([Step::Fail(failure)]);
    let failed = server.chat("s", "hi").await.expect(429);
    let turn = server.get(&format!("/turns/{}", failed["turn_id"].as_str().unwrap())).await.expect(200);
    for field in ["code", "message", "upstream_status", "retry_after_ms", "upstream_request_id"] {
        assert!(!turn["error"][field].is_null(), "{field}");
        assert_eq!(failed["error"][field], turn["error"][field], "{field}");
    }

    server.scripted.then([Step::fail(FailureCode::UpstreamRejected)]);
    let failed = server.chat("s", "hi").await.expect(502);
    assert!(failed["error"].get("upstream_status").is_none(), "it is not known");
}
