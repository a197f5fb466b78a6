//! Input that is wrong in every way, on every route: a clear 4xx in the one envelope, no upstream call, nothing stored.

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Lab, soon, turn_id};

/// A server with one session of one exchange; afterwards everything has to be as it was.
struct Still {
    lab: Lab,
    turn: String,
    before: String,
}

impl Still {
    async fn with(arguments: &[&str]) -> Still {
        let lab = Lab::with(arguments).await;
        lab.session("s").await;
        let turn = turn_id(&lab.chat("s", "hi").await);
        let before = all(&lab);
        Still { lab, turn, before }
    }

    async fn start() -> Still {
        Still::with(&[]).await
    }

    /// Nothing was stored, nobody was called, and the server still serves.
    async fn unchanged(self) {
        assert_eq!(all(&self.lab), self.before);
        assert_eq!(self.lab.upstream.received(), 1);
        self.lab.chat("s", "still there?").await;
    }

    /// A POST with these bytes as its body.
    async fn raw(&self, path: &str, content_type: Option<&str>, body: impl Into<Bytes>) -> Answer {
        let request = self.lab.client.request(Method::POST, path);
        let request = content_type.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        self.lab.client.send(request.body(Full::from(body.into())).unwrap()).await
    }

    async fn call(&self, method: &Method, path: &str, body: &Value) -> Answer {
        self.lab.client.send(self.lab.client.json(method.clone(), path, body)).await
    }
}

/// Every row that a request could have left behind.
fn all(lab: &Lab) -> String {
    ["chat_sessions", "chat_turns", "chat_messages", "chat_configs", "chat_config_revisions", "idempotency_keys"]
        .map(|table| lab.home.sqlite3(&["-quote"], &format!("SELECT * FROM {table} ORDER BY 1, 2, 3")))
        .join("--\n")
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_that_says_what() {
    let still = Still::start().await;
    let some = json!({"message": "hi", "position": 0});
    let table: [(Method, &str, Value, &str); 21] = [
        (Method::POST, "/chat", json!({"session_id": "no", "message": "hi"}), "session_not_found"),
        (Method::POST, "/chat", json!({"config_id": "no", "message": "hi"}), "config_not_found"),
        (Method::POST, "/chat", json!({"session_id": "s", "parent": "no", "message": "hi"}), "turn_not_found"),
        (Method::POST, "/sessions", json!({"config_id": "no"}), "config_not_found"),
        (Method::GET, "/sessions/no", Value::Null, "session_not_found"),
        (Method::PATCH, "/sessions/no", json!({"title": "t"}), "session_not_found"),
        (Method::PATCH, "/sessions/s", json!({"config_id": "no"}), "config_not_found"),
        (Method::DELETE, "/sessions/no", Value::Null, "session_not_found"),
        (Method::POST, "/sessions/no/restore", Value::Null, "session_not_found"),
        (Method::POST, "/sessions/no/resume", Value::Null, "session_not_found"),
        (Method::POST, "/sessions/no/fork", json!({"turn_id": "no"}), "session_not_found"),
        (Method::POST, "/sessions/s/fork", json!({"turn_id": "no"}), "turn_not_found"),
        (Method::GET, "/sessions/no/messages", Value::Null, "session_not_found"),
        (Method::GET, "/sessions/s/messages?branch=no", Value::Null, "turn_not_found"),
        (Method::GET, "/sessions/no/turns", Value::Null, "session_not_found"),
        (Method::GET, "/sessions/no/export", Value::Null, "session_not_found"),
        (Method::GET, "/configs/no", Value::Null, "config_not_found"),
        (Method::PATCH, "/configs/no", json!({"name": "n"}), "config_not_found"),
        (Method::DELETE, "/configs/no", Value::Null, "config_not_found"),
        (Method::POST, "/configs/no/test", Value::Null, "config_not_found"),
        (Method::GET, "/configs/no/models", Value::Null, "config_not_found"),
    ];
    for (method, path, body, code) in table {
        let request = match body {
            Value::Null => still.lab.client.request(method.clone(), path).body(Full::default()).unwrap(),
            body => still.lab.client.json(method.clone(), path, &body),
        };
        let answer = still.lab.client.send(request).await;
        eprintln!("{method} {path}");
        let error = answer.error(404, code);
        assert_eq!(error["type"], "not_found_error");
    }
    for action in ["", "/events", "/prompt"] {
        still.lab.client.get(&format!("/turns/no{action}")).await.error(404, "turn_not_found");
    }
    for action in ["cancel", "retry", "continue"] {
        still.call(&Method::POST, &format!("/turns/no/{action}"), &json!({})).await.error(404, "turn_not_found");
    }
    still.call(&Method::PATCH, "/turns/no", &some).await.error(404, "turn_not_found");
    still.lab.client.get("/nowhere").await.error(404, "route_not_found");
    still.lab.client.delete("/chat").await.error(405, "method_not_allowed");
    still.unchanged().await;
}

/// Every route that takes a body, with one that it would take.
fn bodies(turn: &str) -> Vec<(Method, String, Value)> {
    let config = json!({"name": "n", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"});
    vec![
        (Method::POST, "/chat".into(), json!({"message": "hi"})),
        (Method::POST, "/sessions".into(), json!({"title": "t"})),
        (Method::PATCH, "/sessions/s".into(), json!({"title": "t"})),
        (Method::POST, "/sessions/s/fork".into(), json!({"turn_id": turn})),
        (Method::POST, "/configs".into(), config),
        (Method::PATCH, "/configs/up".into(), json!({"name": "n"})),
        (Method::PATCH, format!("/turns/{turn}"), json!({"message": "hi"})),
        (Method::POST, format!("/turns/{turn}/retry"), json!({"stream": false})),
        (Method::POST, format!("/turns/{turn}/continue"), json!({"stream": false})),
    ]
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_name_with_the_nearest_known_one() {
    let still = Still::start().await;
    for (method, path, body) in bodies(&still.turn) {
        let known = body.as_object().unwrap().keys().next().unwrap().clone();
        let typo = format!("{known}z");
        let mut body = body;
        body[&typo] = json!("x");
        let error = still.call(&method, &path, &body).await.error(400, "unknown_field");
        assert_eq!(error["param"], typo.as_str(), "{method} {path}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("Did you mean `{known}`?")), "{method} {path}: {message}");
    }
    let query = [
        ("/sessions?limt=1", "limt"),
        ("/sessions/s/messages?brnch=x", "brnch"),
        ("/sessions/s/turns?ordr=asc", "ordr"),
        ("/sessions/s/export?fromat=json", "fromat"),
        ("/events?wach=s", "wach"),
    ];
    for (path, name) in query {
        let error = still.lab.client.get(path).await.error(400, "unknown_parameter");
        assert_eq!(error["param"], name, "{path}");
    }
    still.lab.client.get(&format!("/turns/{}/events?aftr=1.1", still.turn)).await.error(400, "unknown_parameter");
    still.unchanged().await;
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_refused_on_every_route() {
    let still = Still::start().await;
    for (method, path, body) in bodies(&still.turn) {
        let known = body.as_object().unwrap().keys().next().unwrap().clone();
        let json = "application/json";
        let send = async |kind: Option<&str>, bytes: Vec<u8>| {
            let request = still.lab.client.request(method.clone(), &path);
            let request = kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
            still.lab.client.send(request.body(Full::from(bytes)).unwrap()).await
        };
        eprintln!("{method} {path}");
        let mut wrong = body.clone();
        wrong[&known] = json!({"not": ["the", "type"]});
        let answer = send(Some(json), wrong.to_string().into()).await;
        assert_eq!(answer.error(400, "invalid_value")["param"], known.as_str());
        let text = body.to_string();
        send(Some("text/plain"), text.clone().into()).await.error(415, "unsupported_media_type");
        send(None, text.clone().into()).await.error(415, "unsupported_media_type");
        send(Some(json), b"{\"a".to_vec()).await.error(400, "invalid_json");
        send(Some(json), b"nonsense".to_vec()).await.error(400, "invalid_json");
        send(Some(json), [b"{\"", &b"\xff\xfe"[..], b"\": 1}"].concat()).await.error(400, "invalid_utf8");
        for other in ["\"text\"", "null", "7", "true"] {
            assert_eq!(send(Some(json), other.into()).await.status, 400, "{other}");
        }
        let deep = format!("{{\"{known}\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        send(Some(json), deep.into()).await.error(400, "body_too_deep");
        let twice = format!("{{\"{known}\": \"a\", \"{known}\": \"b\"}}");
        assert_eq!(send(Some(json), twice.into()).await.error(400, "duplicate_key")["param"], known.as_str());
        let nul = format!("{{\"{known}\": \"a\\u0000b\"}}");
        assert_eq!(send(Some(json), nul.into()).await.error(400, "invalid_string")["param"], known.as_str());
        let lone = format!("{{\"{known}\": \"\\ud800\"}}");
        send(Some(json), lone.into()).await.error(400, "invalid_string");
    }
    for (path, method) in [("/chat", Method::POST), ("/sessions/s", Method::PATCH), ("/configs", Method::POST)] {
        let request = still.lab.client.request(method, path).body(Full::default()).unwrap();
        still.lab.client.send(request).await.error(400, "body_required");
    }
    still.unchanged().await;
}

/// serde reads a struct from a list as gladly as from an object, field by field.
#[tokio::test]
async fn a_list_is_not_taken_for_an_object() {
    let still = Still::start().await;
    let mut taken = Vec::new();
    let mut cases: Vec<(Method, String, Value)> =
        bodies(&still.turn).into_iter().map(|(method, path, _)| (method, path, json!([]))).collect();
    let config = |field: &str, value: Value| json!({"name": "n", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m", field: value});
    cases.extend([
        (Method::POST, "/sessions".into(), json!(["made-of-a-list"])),
        (Method::POST, "/sessions/s/fork".into(), json!([still.turn])),
        (Method::POST, "/chat".into(), json!({"session_id": "s", "tool_results": [["call_1", "x"]]})),
        (Method::POST, "/configs".into(), config("window", json!([20, 200]))),
        (Method::POST, "/configs".into(), config("timeouts", json!([1, 1, 1, 1]))),
    ]);
    for (method, path, body) in cases {
        let answer = still.call(&method, &path, &body).await;
        if answer.status != 400 || answer.json()["error"]["code"] != "invalid_value" {
            taken.push(format!("{method} {path} took {body}: {} {}", answer.status, answer.text()));
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    still.unchanged().await;
}

#[tokio::test]
async fn a_body_or_message_that_is_too_large_is_refused_with_the_limit_and_its_value() {
    let still = Still::with(&["--body-bytes-max", "20000", "--message-bytes-max", "1000"]).await;
    let large = json!({"session_id": "s", "message": "x".repeat(1001)});
    let error = still.call(&Method::POST, "/chat", &large).await.error(413, "message_too_large");
    assert_eq!(error["param"], "message");
    assert!(error["message"].as_str().unwrap().contains("message_bytes_max = 1000"), "{error}");
    let larger = json!({"session_id": "s", "message": "x".repeat(20_001)});
    for (method, path, _) in bodies(&still.turn) {
        let error = still.call(&method, &path, &larger).await.error(413, "body_too_large");
        assert!(error["message"].as_str().unwrap().contains("body_bytes_max = 20000"), "{error}");
    }
    let metadata = json!({"metadata": {"k": "x".repeat(19_000)}});
    assert_eq!(
        still.call(&Method::POST, "/sessions", &metadata).await.error(400, "invalid_value")["param"],
        "metadata"
    );
    let parts =
        json!({"message": [{"type": "text", "text": "x".repeat(600)}, {"type": "text", "text": "x".repeat(600)}]});
    still.call(&Method::POST, "/chat", &parts).await.error(413, "message_too_large");
    still.unchanged().await;
}

#[tokio::test]
async fn a_field_with_a_value_that_makes_no_sense_is_named() {
    let still = Still::start().await;
    let chat: [(Value, &str, &str); 24] = [
        (json!({}), "message_required", "message"),
        (json!({"message": null}), "message_required", "message"),
        (json!({"message": ""}), "message_empty", "message"),
        (json!({"message": []}), "message_empty", "message"),
        (json!({"message": [{"type": "text", "text": ""}]}), "message_empty", "message"),
        (json!({"message": 7}), "invalid_value", "message"),
        (json!({"message": [{"type": "video", "url": "x"}]}), "invalid_value", "message[0].type"),
        (
            json!({"message": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}),
            "invalid_value",
            "message[0].image_url.url",
        ),
        (json!({"message": "x", "session_id": "not an id"}), "invalid_value", "session_id"),
        (json!({"message": "x", "session_id": ""}), "invalid_value", "session_id"),
        (json!({"message": "x", "session_id": "x".repeat(65)}), "invalid_value", "session_id"),
        (json!({"message": "x", "config_id": "a/b"}), "invalid_value", "config_id"),
        (json!({"message": "x", "if_busy": "wait"}), "invalid_value", "if_busy"),
        (json!({"message": "x", "on_disconnect": "die"}), "invalid_value", "on_disconnect"),
        (json!({"message": "x", "temperature": 3}), "invalid_value", "temperature"),
        (json!({"message": "x", "temperature": "hot"}), "invalid_value", "temperature"),
        (json!({"message": "x", "top_p": -0.1}), "invalid_value", "top_p"),
        (json!({"message": "x", "max_tokens": 0}), "invalid_value", "max_tokens"),
        (json!({"message": "x", "max_tokens": -1}), "invalid_value", "max_tokens"),
        (json!({"message": "x", "model": ""}), "invalid_value", "model"),
        (json!({"message": "x", "tools": {}}), "invalid_value", "tools"),
        (json!({"message": "x", "metadata": [1]}), "invalid_value", "metadata"),
        (json!({"message": "x", "extra": {"messages": []}}), "invalid_value", "extra.messages"),
        (json!({"message": "x", "extra": []}), "invalid_value", "extra"),
    ];
    for (body, code, param) in chat {
        let error = still.call(&Method::POST, "/chat", &body).await.error(400, code);
        assert_eq!(error["param"], param, "{body}");
    }
    let config = |fields: Value| {
        let mut body = json!({"name": "n", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let configs: [(Value, &str); 14] = [
        (json!({"name": ""}), "name"),
        (json!({"provider": "no-such"}), "provider"),
        (json!({"base_url": "ftp://x"}), "base_url"),
        (json!({"base_url": "not a url"}), "base_url"),
        (json!({"base_url": "http://user:pass@x/v1"}), "base_url"),
        (json!({"id": "a b"}), "id"),
        (json!({"model": ""}), "model"),
        (json!({"window": {"messages": 0}}), "window.messages"),
        (json!({"window": {"tokens": 1}}), "window.tokens"),
        (
            json!({"timeouts": {"connect_ms": 0, "first_token_ms": 1, "between_tokens_ms": 1, "turn_ms": 1}}),
            "timeouts.connect_ms",
        ),
        (json!({"max_concurrency": 0}), "max_concurrency"),
        (json!({"params": {"model": "x"}}), "params.model"),
        (json!({"params": []}), "params"),
        (json!({"api_key_env": ""}), "api_key_env"),
    ];
    for (fields, param) in configs {
        let error = still.call(&Method::POST, "/configs", &config(fields.clone())).await.error(400, "invalid_value");
        assert_eq!(error["param"], param, "{fields}");
    }
    let sessions: [(Value, &str); 6] = [
        (json!({"id": "a b"}), "id"),
        (json!({"id": "x".repeat(65)}), "id"),
        (json!({"title": ""}), "title"),
        (json!({"title": "x".repeat(201)}), "title"),
        (json!({"metadata": 3}), "metadata"),
        (json!({"on_failure": "panic"}), "on_failure"),
    ];
    for (body, param) in sessions {
        let error = still.call(&Method::POST, "/sessions", &body).await.error(400, "invalid_value");
        assert_eq!(error["param"], param, "{body}");
    }
    still.call(&Method::POST, "/sessions", &json!({"id": "s"})).await.error(409, "id_taken");
    still.call(&Method::POST, "/configs", &config(json!({"id": "up"}))).await.error(409, "id_taken");
    still.unchanged().await;
}

#[tokio::test]
async fn cursors_limits_and_ids_in_addresses_are_checked() {
    let still = Still::start().await;
    for path in ["/sessions", "/sessions/s/messages", "/sessions/s/turns"] {
        for cursor in ["after=nonsense", "before=nonsense", "after=a%20b"] {
            let answer = still.lab.client.get(&format!("{path}?{cursor}")).await;
            answer.error(400, "invalid_cursor");
        }
        for limit in ["limit=0", "limit=101", "limit=x", "limit=-1", "order=up"] {
            let name = limit.split('=').next().unwrap();
            let error = still.lab.client.get(&format!("{path}?{limit}")).await.error(400, "invalid_value");
            assert_eq!(error["param"], name, "{path}?{limit}");
        }
    }
    still.lab.client.get("/sessions/a%00b").await.error(400, "invalid_string");
    still.lab.client.get("/sessions?q=a%00b").await.error(400, "invalid_string");
    let long = "x".repeat(65);
    for path in ["/sessions/a%20b", &format!("/sessions/{long}"), "/turns/a.b", "/configs/%E4%BD%A0", "/sessions/a%2Fb"]
    {
        let answer = still.lab.client.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text());
        assert!(answer.json()["error"]["code"].is_string(), "{path}");
    }
    still.lab.client.get("/events?watch=a%20b").await.error(400, "invalid_value");
    let many: Vec<String> = (0..65).map(|n| format!("s{n}")).collect();
    still.lab.client.get(&format!("/events?watch={}", many.join(","))).await.error(400, "invalid_value");
    still.unchanged().await;
}

#[tokio::test]
async fn a_strange_host_or_origin_is_turned_away_on_every_route() {
    let still = Still::start().await;
    let client = &still.lab.client;
    for path in ["/health", "/chat", "/sessions", "/events", "/metrics", "/docs", "/openapi.json", "/nowhere"] {
        for host in ["evil.example", "evil.example:8377", "127.0.0.1.evil.example", "localhost.evil.example"] {
            client.with("host", host).get(path).await.error(403, "host_not_allowed");
        }
        for origin in ["http://evil.example", "https://evil.example", "null", "file://"] {
            client.with("origin", origin).get(path).await.error(403, "origin_not_allowed");
        }
    }
    let sent = client.with("origin", "http://evil.example").post("/chat", &json!({"message": "hi"})).await;
    sent.error(403, "origin_not_allowed");
    let own = format!("http://{}", client.addr());
    client.with("origin", &own).get("/sessions").await.expect(200);
    client.with("host", &format!("localhost:{}", client.addr().port())).get("/sessions").await.expect(200);
    still.unchanged().await;
}

#[tokio::test]
async fn broken_http_gets_an_answer_or_a_closed_door_and_the_server_lives_on() {
    let still = Still::start().await;
    let host = still.lab.client.addr();
    let requests: [Vec<u8>; 8] = [
        b"nonsense\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        format!("POST /chat HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").into(),
        format!("POST /chat HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: -1\r\n\r\n{{}}").into(),
        format!("POST /chat HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").into(),
        format!("GET /sessions HTTP/1.1\r\nhost: {host}\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).into(),
        format!("GET /sessions HTTP/1.1\r\nhost: {host}\r\n{}\r\n", "a: b\r\n".repeat(100_000)).into(),
        format!("GET /sessions HTTP/1.1\r\nhost: {host}\r\nhost: evil.example\r\n\r\n").into(),
    ];
    for request in requests {
        let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
        // The server may close its door before it has heard all of it.
        let _ = socket.write_all(&request).await;
        let mut answer = Vec::new();
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        // An error is a reset: the door was closed.
        let _ = soon(&shown, socket.read_buf(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{shown:?} was answered {answer:?}");
    }
    let encoded = still.lab.client.with("content-encoding", "gzip").post("/chat", &json!({"message": "hi"})).await;
    encoded.error(415, "unsupported_media_type");
    let chunked = still.raw("/chat", Some("application/json"), "{}").await;
    chunked.error(400, "message_required");
    still.unchanged().await;
}
