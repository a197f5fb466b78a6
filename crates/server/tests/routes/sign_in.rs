use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Server};

/// Signs in and gives the cookie, as a browser sends it back.
async fn signed_in(server: &Server, key: &str) -> String {
    let answer = server.post("/sign-in", json!({ "key": key })).await;
    answer.expect(204);
    answer.header("set-cookie").split_once(';').unwrap().0.to_owned()
}

async fn with(server: &Server, cookie: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    server.ask(method, path, &[("cookie", cookie)], body).await
}

async fn get(server: &Server, cookie: &str, path: &str) -> Answer {
    with(server, cookie, Method::GET, path, None).await
}

fn state(required: bool, signed_in: bool) -> Value {
    json!({"required": required, "signed_in": signed_in})
}

#[tokio::test]
async fn a_cookie_stands_for_its_key() {
    let server = Server::start().await;
    let key = server.key("default").await;
    assert_eq!(server.get("/sign-in").await.expect(200), state(true, false));
    let answer = server.post("/sign-in", json!({ "key": key })).await;
    answer.expect(204);
    let set = answer.header("set-cookie").to_owned();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000"), "{set}");
    assert!(!set.contains(&key) && !set.contains(&key[3..]), "it holds nothing of the key");

    let cookie = set.split_once(';').unwrap().0;
    get(&server, cookie, "/sessions").await.expect(200);
    assert_eq!(get(&server, cookie, "/sign-in").await.expect(200), state(true, true));
    get(&server, &format!("theme=dark; turnwise=other; {cookie}; a=b"), "/sessions").await.expect(200);
    let made = with(&server, cookie, Method::POST, "/sessions", Some(json!({"id": "s"}))).await;
    made.expect(201);

    let out = with(&server, cookie, Method::POST, "/sign-out", None).await;
    out.expect(204);
    assert_eq!(out.header("set-cookie"), "turnwise=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}

#[tokio::test]
async fn what_the_server_has_not_sealed_is_no_sign_in() {
    let server = Server::start().await;
    let key = server.key("default").await;
    let cookie = signed_in(&server, &key).await;
    let (name, value) = cookie.split_once('=').unwrap();
    let mut changed = value.to_owned();
    changed.replace_range(40..41, if &value[40..41] == "A" { "B" } else { "A" });
    for forged in [format!("{name}={changed}"), format!("{name}={key}"), format!("{name}="), format!("other={value}")] {
        get(&server, &forged, "/sessions").await.refused(401, "api_key_required", "");
        assert_eq!(get(&server, &forged, "/sign-in").await.expect(200), state(true, false));
    }
    let bearer = format!("Bearer {value}");
    let answer = server.ask(Method::GET, "/sessions", &[("authorization", &bearer)], None).await;
    answer.refused(401, "invalid_api_key", "");
}

#[tokio::test]
async fn a_wrong_header_is_not_made_good_by_a_cookie() {
    let server = Server::start().await;
    let key = server.key("default").await;
    let cookie = signed_in(&server, &key).await;
    let headers = [("cookie", cookie.as_str()), ("authorization", "Bearer tw_wrong")];
    server.ask(Method::GET, "/sessions", &headers, None).await.refused(401, "invalid_api_key", "");
}

#[tokio::test]
async fn a_revoked_key_takes_its_sign_ins_with_it() {
    let server = Server::start().await;
    let (key, other) = (server.key("default").await, server.key("default").await);
    let (cookie, stays) = (signed_in(&server, &key).await, signed_in(&server, &other).await);
    get(&server, &cookie, "/sessions").await.expect(200);
    server.revoke(&key).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
    get(&server, &cookie, "/sessions").await.refused(401, "invalid_api_key", "");
    get(&server, &stays, "/sessions").await.expect(200);
    server.post("/sign-in", json!({ "key": key })).await.refused(401, "invalid_api_key", "");
}

#[tokio::test]
async fn a_sign_in_ends_after_thirty_days() {
    let server = Server::start().await;
    let key = server.key("default").await;
    let id: session::id::KeyId = key[3..].parse().unwrap();
    let now = crate::rig::CLOCK.now();
    for (ms, status) in [(60_000, 200), (-1, 401)] {
        let sealed = server.store.seal_sign_in(&store::SignIn { key: id.clone(), until: now.plus_ms(ms) });
        assert_eq!(get(&server, &format!("turnwise={sealed}"), "/sessions").await.status, status);
    }
}

#[tokio::test]
async fn whoever_comes_with_the_same_key_is_the_same_caller() {
    let server = Server::start().await;
    let key = server.key("default").await;
    let (bearer, cookie) = (format!("Bearer {key}"), signed_in(&server, &key).await);
    let mut made = Vec::new();
    for from in [("authorization", bearer.as_str()), ("cookie", cookie.as_str())] {
        let headers = [from, ("idempotency-key", "once")];
        made.push(server.ask(Method::POST, "/sessions", &headers, Some(json!({"title": "t"}))).await.expect(201));
    }
    assert_eq!(made[0]["id"], made[1]["id"]);
}

#[tokio::test]
async fn a_sign_in_opens_its_own_project_alone() {
    let server = Server::start().await;
    let (ours, theirs) = (server.key("default").await, server.key("other").await);
    let (ours, theirs) = (signed_in(&server, &ours).await, signed_in(&server, &theirs).await);
    with(&server, &ours, Method::POST, "/sessions", Some(json!({"id": "s"}))).await.expect(201);
    let theirs_read = get(&server, &theirs, "/sessions/s").await;
    theirs_read.refused(404, "session_not_found", "session_id");
    assert_eq!(get(&server, &theirs, "/sessions").await.expect(200)["data"], json!([]));
    let missing = get(&server, &theirs, "/sessions/none").await;
    assert_eq!(missing.expect(404), theirs_read.expect(404));
}

#[tokio::test]
async fn another_sites_page_can_do_nothing_with_a_cookie() {
    let server = Server::start().await;
    let key = server.key("default").await;
    let cookie = signed_in(&server, &key).await;
    for origin in ["https://evil.example", "http://localhost:3000", "null", "http://localhost.evil.example"] {
        let headers = [("cookie", cookie.as_str()), ("origin", origin)];
        for (path, body) in
            [("/sessions", json!({"id": "s"})), ("/sign-out", json!({})), ("/sign-in", json!({"key": key}))]
        {
            let answer = server.ask(Method::POST, path, &headers, Some(body)).await;
            answer.refused(403, "origin_not_allowed", "origin");
            assert!(!answer.headers.contains_key("set-cookie"), "{origin} {path}");
        }
        server.ask(Method::DELETE, "/sessions/s", &headers, None).await.refused(403, "origin_not_allowed", "origin");
    }
    let own = [("cookie", cookie.as_str()), ("origin", "http://localhost")];
    server.ask(Method::POST, "/sessions", &own, Some(json!({"id": "s"}))).await.expect(201);
    let answer = server.ask(Method::GET, "/sessions", &own, None).await;
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_tls_alone() {
    let server = Server::start().await;
    let key = server.key("default").await;
    for (header, value, secure) in [
        ("x-forwarded-proto", "https", true),
        ("x-forwarded-proto", "http", false),
        ("origin", "https://localhost", true),
        ("origin", "http://localhost", false),
        ("x-forwarded-proto", "好", false),
    ] {
        for (path, body) in [("/sign-in", json!({ "key": key })), ("/sign-out", json!({}))] {
            let answer = server.ask(Method::POST, path, &[(header, value)], Some(body)).await;
            answer.expect(204);
            assert_eq!(answer.header("set-cookie").ends_with("; Secure"), secure, "{header}: {value}");
        }
    }
}

#[tokio::test]
async fn wrong_keys_are_bounded_and_right_ones_are_not() {
    let server = Server::start().await;
    let key = server.key("default").await;
    for _ in 0..30 {
        signed_in(&server, &key).await;
    }
    for _ in 0..10 {
        server.post("/sign-in", json!({"key": "tw_wrong"})).await.refused(401, "invalid_api_key", "");
    }
    let refused = server.post("/sign-in", json!({ "key": key })).await;
    refused.refused(429, "too_many_sign_ins", "");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    server.ask(Method::GET, "/sessions", &[("authorization", &format!("Bearer {key}"))], None).await.expect(200);
}

#[tokio::test]
async fn without_keys_there_is_nothing_to_sign_in_with() {
    let server = Server::start().await;
    assert_eq!(server.get("/sign-in").await.expect(200), state(false, false));
    server.post("/sign-in", json!({"key": "tw_any"})).await.refused(409, "sign_in_not_needed", "");
    server.post("/sign-out", json!({})).await.expect(204);
    server.key("default").await;
    server.post("/sign-in", json!({})).await.refused(400, "missing_field", "key");
    server.post("/sign-in", json!({"key": "k", "user": "u"})).await.refused(400, "unknown_field", "user");
}

#[tokio::test]
async fn the_page_needs_no_key() {
    let server = Server::start().await;
    server.key("default").await;
    for path in ["/", "/s/any", "/docs", "/health"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}
