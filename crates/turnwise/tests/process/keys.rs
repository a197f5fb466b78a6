//! API keys and upstream keys: who gets in, who sees what, and what never comes out.

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Client, Home, Lab, Server, Setup, eventually, turn_id, within};

async fn create(home: &Home, project: &str) -> String {
    let made = Setup::new(home).run(&["keys", "create", "--name", "test", "--project", project]).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(key.starts_with("tw_") && key.len() > 20, "standard output holds the key and nothing else: {key:?}");
    key
}

/// Id and the rest of the line of every key.
async fn list(home: &Home) -> Vec<(String, String)> {
    let listed = Setup::new(home).run(&["keys", "list"]).await;
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().map(|line| line.split_once("  ").map(|(id, rest)| (id.into(), rest.into())).unwrap()).collect()
}

#[tokio::test]
async fn a_key_can_be_made_before_the_server_runs_and_while_it_runs() {
    let home = Home::new();
    let before = create(&home, "default").await;
    let server = Server::start(&home).await;
    let client = server.client();
    client.get("/sessions").await.error(401, "api_key_required");
    client.key(&before).get("/sessions").await.expect(200);
    let during = create(&home, "default").await;
    client.key(&during).get("/sessions").await.expect(200);

    let listed = list(&home).await;
    assert_eq!(listed.len(), 2);
    for (_, rest) in &listed {
        assert!(rest.contains("default") && rest.contains("test") && rest.contains("in use"), "{rest}");
    }
    for key in [before, during] {
        assert_eq!(home.files_with(key.as_bytes()), Vec::<std::path::PathBuf>::new(), "a key is stored hashed");
    }
}

#[tokio::test]
async fn from_the_first_key_on_every_route_wants_one() {
    let lab = Lab::start().await;
    let turn = turn_id(&lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200));
    let key = create(&lab.home, "default").await;
    let strangers = [
        lab.client.clone(),
        lab.client.key("tw_wrongwrongwrongwrongwr"),
        lab.client.with("authorization", "Basic dTpw"),
        lab.client.with("authorization", &key),
    ];
    for client in strangers {
        for path in [
            "/sessions",
            "/configs",
            "/events",
            "/metrics",
            &format!("/turns/{turn}"),
            &format!("/turns/{turn}/events"),
        ] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.text());
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.json()["error"]["type"], "authentication_error");
        }
        assert_eq!(client.post("/chat", &json!({"message": "hi"})).await.status, 401);
        client.get("/health").await.expect(200);
        client.get("/ready").await.expect(200);
    }
    assert_eq!(lab.upstream.received(), 1);
    // What was there before belongs to the default project, as the key does.
    lab.client.key(&key).get(&format!("/turns/{turn}")).await.expect(200);
}

#[tokio::test]
async fn a_revoked_key_stops_working_and_does_not_open_the_server() {
    let home = Home::new();
    let server = Server::start(&home).await;
    let key = create(&home, "default").await;
    server.client().key(&key).get("/sessions").await.expect(200);
    let (id, _) = list(&home).await.pop().unwrap();
    let revoked = Setup::new(&home).run(&["keys", "revoke", &id]).await;
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    within(Duration::from_secs(6), "the key to stop working", async || {
        let answer = server.client().key(&key).get("/sessions").await;
        (answer.status == 401).then(|| answer.error(401, "invalid_api_key"))
    })
    .await;
    server.client().get("/sessions").await.error(401, "api_key_required");
    assert!(list(&home).await[0].1.contains("revoked"));
    let unknown = Setup::new(&home).run(&["keys", "revoke", "no-such"]).await;
    assert!(!unknown.status.success());

    // Nor is it open after a restart.
    server.kill();
    let server = Server::start(&home).await;
    server.client().get("/sessions").await.error(401, "api_key_required");
    server.client().key(&key).get("/sessions").await.error(401, "invalid_api_key");
}

#[tokio::test]
async fn listening_beyond_the_machine_without_a_key_is_refused() {
    let home = Home::new();
    let mut open = Setup::new(&home).listen("0.0.0.0:0").spawn();
    assert!(!open.exit().await.success());
    assert!(home.log().contains("turnwise keys create"), "{}", home.log());
    create(&home, "default").await;
    let server = Setup::new(&home).listen("0.0.0.0:0").start().await;
    let here = Client::new(([127, 0, 0, 1], server.addr().port()).into());
    here.get("/sessions").await.error(401, "api_key_required");
}

/// Two projects, each with a session `s`, a config `up` and a turn, and all that they say unlike the other's.
struct Two {
    lab: Lab,
    a: Client,
    b: Client,
}

impl Two {
    async fn start() -> Two {
        let lab = Lab::start().await;
        lab.upstream.respond(|request| Script::text(&format!("secret answer to {}", request.last_user_message())));
        let a = lab.client.key(&create(&lab.home, "a").await);
        let b = lab.client.key(&create(&lab.home, "b").await);
        for client in [&a, &b] {
            let config = json!({
                "id": "up", "name": "up", "provider": "openai", "base_url": lab.upstream.base_url(), "model": "m",
                "default": true,
            });
            client.post("/configs", &config).await.expect(201);
            client.post("/sessions", &json!({"id": "s"})).await.expect(201);
        }
        Two { lab, a, b }
    }

    async fn chat(client: &Client, message: &str) -> String {
        let body = json!({"session_id": "s", "message": message});
        turn_id(&client.post("/chat", &body).await.expect(200))
    }
}

#[tokio::test]
async fn two_projects_with_the_same_ids_see_nothing_of_each_other() {
    let Two { lab, a, b } = Two::start().await;
    let of_a = Two::chat(&a, "words of a").await;
    Two::chat(&b, "words of b").await;
    for (client, own, other) in [(&a, "words of a", "words of b"), (&b, "words of b", "words of a")] {
        for path in
            ["/sessions", "/sessions/s", "/sessions/s/messages", "/sessions/s/turns", "/sessions/s/export", "/configs"]
        {
            let text = client.get(path).await.text();
            assert!(!text.contains(other), "{path}");
            assert!(path.ends_with("configs") || path.ends_with("turns") || text.contains(own), "{path}: {text}");
        }
    }
    for prompt in lab.prompts() {
        let all: String = prompt.into_iter().map(|(_, text)| text).collect();
        assert!(!(all.contains("words of a") && all.contains("words of b")), "{all}");
    }

    // What is another's answers exactly like what does not exist.
    let body = json!({"message": "x", "position": 0});
    let paths: [(Method, &str, Value); 9] = [
        (Method::GET, "", Value::Null),
        (Method::GET, "/events", Value::Null),
        (Method::GET, "/events?after=1.1", Value::Null),
        (Method::GET, "/prompt", Value::Null),
        (Method::POST, "/cancel", json!({})),
        (Method::POST, "/retry", json!({})),
        (Method::POST, "/continue", json!({})),
        (Method::PATCH, "", body),
        (Method::POST, "/retry?x", json!({})),
    ];
    for (method, action, body) in paths {
        let ask = async |turn: &str| {
            let answer = b.send(b.json(method.clone(), &format!("/turns/{turn}{action}"), &body)).await;
            (answer.status, answer.json())
        };
        let (others, none) = (ask(&of_a).await, ask("no-such-turn").await);
        assert_eq!(others, none, "{method} {action}");
        assert_eq!(others.0, 404, "{method} {action}");
    }
    let fork = json!({"turn_id": of_a});
    b.post("/sessions/s/fork", &fork).await.error(404, "turn_not_found");
    b.patch("/sessions/s", &json!({"head": of_a})).await.error(404, "turn_not_found");
    b.get(&format!("/sessions/s/messages?branch={of_a}")).await.error(404, "turn_not_found");
    b.post("/chat", &json!({"session_id": "s", "message": "x", "parent": of_a})).await.error(404, "turn_not_found");
    let message = a.get("/sessions/s/messages").await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    b.get(&format!("/sessions/s/messages?after={message}")).await.error(400, "invalid_cursor");
    assert_eq!(lab.upstream.received(), 2);
}

#[tokio::test]
async fn a_running_stream_of_one_project_is_not_the_others() {
    let Two { lab, a, b } = Two::start().await;
    lab.upstream.respond(|_| Script::deltas(["words of", " a"]).at(1, Step::gate("half")));
    let mut feed_a = a.follow("/events?watch=s").await;
    let mut feed_b = b.follow("/events?watch=s").await;
    let body = json!({"session_id": "s", "message": "hi", "stream": true});
    let mut stream = a.post_stream("/chat", &body).await;
    let turn = turn_id(&stream.until("message.delta").await[0].data);
    feed_a.until("message.delta").await;
    b.get(&format!("/turns/{turn}/events")).await.error(404, "turn_not_found");
    b.post(&format!("/turns/{turn}/cancel"), &json!({})).await.error(404, "turn_not_found");
    assert_eq!(b.get("/sessions/s").await.expect(200)["active_turn"], Value::Null);
    lab.upstream.open("half");
    assert_eq!(stream.rest().await.last().unwrap().name, "turn.completed");

    // The first thing that b's feed tells is b's own.
    b.patch("/sessions/s", &json!({"title": "of b"})).await.expect(200);
    assert_eq!(feed_b.next().await.unwrap().name, "session.updated");
    // Nor does one's cursor mean anything to the other beyond being unknown or its own place.
    let cursor = a.get("/sessions/s").await.expect(200)["cursor"].as_str().unwrap().to_owned();
    let mut follow = b.follow(&format!("/events?watch=s&after={cursor}")).await;
    b.patch("/sessions/s", &json!({"title": "of b again"})).await.expect(200);
    let told = follow.until_some("something of b", |event| event.name != "reset").await;
    assert!(!crate::support::bytes(&told).contains(&turn));
}

#[tokio::test]
async fn an_idempotency_key_is_each_projects_own() {
    let Two { lab, a, b } = Two::start().await;
    let first = Two::chat(&a.once("same"), "hi").await;
    let second = Two::chat(&b.once("same"), "hi").await;
    assert_ne!(first, second);
    assert_eq!(Two::chat(&a.once("same"), "hi").await, first);
    assert_eq!(lab.upstream.received(), 2);
}

const SECRET: &str = "sk-canary-0123456789abcdef";

#[tokio::test]
async fn an_upstream_key_goes_upstream_and_never_comes_out() {
    let mut lab = Lab::with(&["--log", "trace"]).await;
    let made = lab.config("keyed", json!({"api_key": SECRET, "default": true})).await;
    assert_eq!(made["has_key"], true);
    lab.session("s").await;
    lab.chat("s", "hi").await;
    assert_eq!(lab.upstream.requests()[0].request.bearer(), Some(SECRET));
    lab.upstream.respond(|request| {
        let said = request.bearer().unwrap_or("none");
        Script::error(401, "invalid_api_key", &format!("Incorrect API key provided: {said}"))
    });
    let failed = lab.client.post("/chat", &json!({"session_id": "s", "message": "hi"})).await;
    let turn = turn_id(&failed.json());
    let tested = lab.client.post("/configs/keyed/test", &json!({})).await;
    let mut seen = vec![failed.text(), tested.text(), made.to_string()];
    for path in [
        "/configs",
        "/configs/keyed",
        "/configs/keyed/models",
        "/sessions/s",
        "/sessions/s/messages",
        "/sessions/s/turns",
        "/sessions/s/export",
        "/metrics",
        "/openapi.json",
        "/sessions",
    ] {
        seen.push(lab.client.get(path).await.text());
    }
    for path in ["", "/events", "/prompt"] {
        seen.push(lab.client.get(&format!("/turns/{turn}{path}")).await.text());
    }
    let wrong = json!({"name": "n", "provider": "no-such", "api_key": SECRET});
    seen.push(lab.client.post("/configs", &wrong).await.text());
    let wrong = json!({"name": "n", "provider": "openai", "api_key": {"k": SECRET}});
    seen.push(lab.client.post("/configs", &wrong).await.text());
    for command in ["config", "doctor"] {
        let output = Setup::new(&lab.home).run(&[command]).await;
        seen.push(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
    }
    for text in seen {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert_eq!(
        lab.home.files_with(SECRET.as_bytes()),
        Vec::<std::path::PathBuf>::new(),
        "sealed at rest, absent from logs"
    );

    // It works after a restart, from its sealed form.
    lab.crash().await;
    lab.upstream.respond(|_| Script::text("ok"));
    lab.chat("s", "hi").await;
    assert_eq!(lab.upstream.requests().last().unwrap().request.bearer(), Some(SECRET));
}

#[tokio::test]
async fn a_key_does_not_follow_its_config_to_another_origin() {
    let lab = Lab::start().await;
    let other = upstream::Upstream::start().await;
    lab.config("keyed", json!({"api_key": SECRET})).await;
    let moved = lab.client.patch("/configs/keyed", &json!({"base_url": other.base_url()})).await.expect(200);
    assert_eq!(moved["has_key"], false);
    let sent = lab.client.post("/chat", &json!({"config_id": "keyed", "message": "hi"})).await;
    for exchange in other.requests() {
        assert_eq!(exchange.request.bearer(), None, "{}", sent.text());
    }
    // Nor does it come back with the old address.
    let back = lab.client.patch("/configs/keyed", &json!({"base_url": lab.upstream.base_url()})).await.expect(200);
    assert_eq!(back["has_key"], false);
    // Another path of the same origin keeps it.
    lab.client.patch("/configs/keyed", &json!({"api_key": SECRET})).await.expect(200);
    let path = lab.upstream.base_url().replace("/v1", "/other/v1");
    let kept = lab.client.patch("/configs/keyed", &json!({"base_url": path})).await.expect(200);
    assert_eq!(kept["has_key"], true);
    let dropped = lab.client.patch("/configs/keyed", &json!({"api_key": null})).await.expect(200);
    assert_eq!(dropped["has_key"], false);
}

#[tokio::test]
async fn a_key_of_the_environment_goes_only_where_the_operator_lets_it() {
    let home = Home::new();
    let upstream = upstream::Upstream::start().await;
    let origin = format!("http://{}", upstream.addr());
    let config = |id: &str| {
        json!({
            "id": id, "name": id, "provider": "openai", "base_url": upstream.base_url(), "model": "m",
            "api_key_env": "OPENAI_API_KEY",
        })
    };
    let server = Setup::new(&home).env("OPENAI_API_KEY", SECRET).start().await;
    let configs = server.client().get("/configs").await;
    assert!(configs.text().contains("\"openai\""), "a config is made for a key that is set: {}", configs.text());
    assert!(!configs.text().contains(SECRET));
    let made = server.client().post("/configs", &config("mine")).await.expect(201);
    assert_eq!(made["has_key"], false);
    let body = json!({"config_id": "mine", "message": "hi"});
    server.client().post("/chat", &body).await.error(502, "config_key_missing");
    assert_eq!(upstream.received(), 0);
    server.kill();

    let listed = format!("OPENAI_API_KEY={origin}");
    let setup = Setup::new(&home).env("OPENAI_API_KEY", SECRET).args(&["--env-keys", &listed]);
    let server = setup.start().await;
    server.client().post("/chat", &body).await.expect(200);
    assert_eq!(upstream.requests()[0].request.bearer(), Some(SECRET));
    assert_eq!(home.files_with(SECRET.as_bytes()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn the_data_directory_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let _server = Server::start(&home).await;
    let mode = |name: &str| std::fs::metadata(home.data().join(name)).unwrap().permissions().mode() & 0o777;
    let open: BTreeSet<String> = ["secret.key", "admin.sock", ""]
        .iter()
        .filter(|name| mode(name) & 0o077 != 0)
        .map(|name| format!("{name} {:o}", mode(name)))
        .collect();
    assert_eq!(open, BTreeSet::new());
}

#[tokio::test]
async fn words_of_users_and_models_do_not_stand_in_the_log() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("the-models-words"));
    lab.client.post("/chat", &json!({"message": "the-users-words", "system": "the-systems-words"})).await.expect(200);
    lab.upstream.respond(|_| Script::error(400, "bad", "no"));
    lab.client.post("/chat", &json!({"message": "the-users-words"})).await.error(502, "upstream_rejected");
    eventually("the turn in the log", async || lab.home.log().contains("turn ended").then_some(())).await;
    let log = lab.home.log();
    for words in ["the-models-words", "the-users-words", "the-systems-words"] {
        assert!(!log.contains(words), "{log}");
    }
    assert!(log.contains("session_id=") && log.contains("turn_id="), "{log}");
}
