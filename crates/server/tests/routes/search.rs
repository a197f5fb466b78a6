use http::Method;
use provider::scripted::Step;
use serde_json::{Value, json};

use crate::rig::Server;

struct Caller<'a> {
    server: &'a Server,
    bearer: String,
}

impl Caller<'_> {
    async fn of<'a>(server: &'a Server, project: &str) -> Caller<'a> {
        let bearer = format!("Bearer {}", server.key(project).await);
        let caller = Caller { server, bearer };
        let config = json!({"name": "c", "provider": "scripted", "model": "m", "default": true});
        caller.ask(Method::POST, "/configs", Some(config)).await;
        caller
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.server.ask(method, path, &[("authorization", &self.bearer)], body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        answer.expect(answer.status.as_u16())
    }

    async fn say(&self, session: &str, message: &str, answer: &str) {
        self.server.scripted.then([Step::text(answer), Step::stop()]);
        self.ask(Method::POST, "/chat", Some(json!({"session_id": session, "message": message}))).await;
        while self.server.store.index_some(64).await.unwrap() > 0 {}
    }

    async fn page(&self, query: &str) -> Value {
        self.ask(Method::GET, &format!("/search?{query}"), None).await
    }

    async fn found(&self, q: &str) -> Vec<Value> {
        self.page(&format!("q={q}")).await["data"].as_array().unwrap().clone()
    }
}

/// 北京, two characters.
const BEIJING: &str = "%E5%8C%97%E4%BA%AC";

#[tokio::test]
async fn a_hit_says_where_it_is_and_what_was_looked_for() {
    let server = Server::start().await;
    let ours = Caller::of(&server, "default").await;
    ours.ask(Method::POST, "/sessions", Some(json!({"id": "s", "title": "旅行"}))).await;
    ours.say("s", "明天去北京，带什么？", "Take a coat.").await;
    ours.ask(Method::POST, "/sessions", Some(json!({"id": "t", "title": "去北京"}))).await;
    while server.store.index_some(64).await.unwrap() > 0 {}

    let found = ours.found(BEIJING).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let message = found.iter().find(|hit| hit["kind"] == "message").unwrap();
    let place = (&message["session_id"], &message["session_title"], &message["role"]);
    assert_eq!(place, (&json!("s"), &json!("旅行"), &json!("user")));
    let pieces = message["snippet"].as_array().unwrap();
    let joined: String = pieces.iter().map(|piece| piece["text"].as_str().unwrap()).collect();
    assert_eq!(joined, "明天去北京，带什么？");
    let hits: Vec<&Value> = pieces.iter().filter(|piece| piece["hit"] == true).map(|piece| &piece["text"]).collect();
    assert_eq!(hits, ["北京"]);
    let listed = ours.ask(Method::GET, "/sessions/s/messages", None).await;
    assert_eq!(
        (&listed["data"][0]["id"], &listed["data"][0]["turn_id"]),
        (&message["message_id"], &message["turn_id"])
    );
    let session = found.iter().find(|hit| hit["kind"] == "session").unwrap();
    assert_eq!((&session["session_id"], &session["message_id"]), (&json!("t"), &Value::Null));

    let answers = ours.found("coat").await;
    assert_eq!((answers.len(), &answers[0]["role"]), (1, &json!("assistant")));
    assert!(ours.found("%E4%B8%8A%E6%B5%B7").await.is_empty(), "上海 was not spoken of");
    assert!(ours.found("%E4%BA%AC%E5%8C%97").await.is_empty(), "nor 京北");
}

#[tokio::test]
async fn another_project_finds_nothing_of_it() {
    let server = Server::start().await;
    let (ours, theirs) = (Caller::of(&server, "ours").await, Caller::of(&server, "theirs").await);
    for caller in [&ours, &theirs] {
        caller.ask(Method::POST, "/sessions", Some(json!({"id": "s", "title": "same name"}))).await;
    }
    ours.say("s", "the 北京 secret", "a shared word").await;
    theirs.say("s", "nothing of it", "a shared word").await;
    for q in [BEIJING, "secret", "%22the%20%E5%8C%97%E4%BA%AC%22"] {
        assert_eq!(ours.found(q).await.len(), 1, "{q}");
        assert!(theirs.found(q).await.is_empty(), "{q}");
    }
    for caller in [&ours, &theirs] {
        assert_eq!(caller.found("shared").await.len(), 1);
        assert_eq!(caller.found("same").await.len(), 1);
    }
    let message = ours.found("secret").await[0]["message_id"].as_str().unwrap().to_owned();
    let cursor = format!("/search?q=shared&after=message:{message}");
    let headers = [("authorization", theirs.bearer.as_str())];
    server.ask(Method::GET, &cursor, &headers, None).await.refused(400, "invalid_cursor", "after");
    server.ask(Method::GET, "/search?q=secret", &[], None).await.refused(401, "api_key_required", "");
}

#[tokio::test]
async fn hits_come_in_pages() {
    let server = Server::start().await;
    let ours = Caller::of(&server, "default").await;
    ours.ask(Method::POST, "/sessions", Some(json!({"id": "s", "title": "t"}))).await;
    for n in 0..5 {
        ours.say("s", &format!("apple {n}"), "yes").await;
    }
    let (mut seen, mut query) = (Vec::new(), "q=apple&limit=2".to_owned());
    loop {
        let page = ours.page(&query).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|hit| hit["message_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!((&page["has_more"], page["data"].as_array().unwrap().len()), (&json!(true), 2));
        query = format!("q=apple&limit=2&after={next}");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "each once");
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let server = Server::start().await;
    server.get("/search").await.refused(400, "missing_parameter", "q");
    server.get("/search?q=").await.refused(400, "invalid_value", "q");
    server.get(&format!("/search?q={}", "a".repeat(201))).await.refused(400, "invalid_value", "q");
    server.get("/search?q=a&limit=0").await.refused(400, "invalid_value", "limit");
    server.get("/search?q=a&after=nowhere").await.refused(400, "invalid_cursor", "after");
    server.get("/search?q=a&order=asc").await.refused(400, "unknown_parameter", "order");
    for nothing in ["%22", "%2A", "%28%29", "AND", "a%20OR%20b%20NEAR%20%22", "%F0%9F%91%8D"] {
        server.get(&format!("/search?q={nothing}")).await.expect(200);
    }
}
