//! What belongs to another project is answered like what does not exist, on every route of `/v1`.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::rig::Server;

/// What a project has, or the ids that nobody has.
struct Ids {
    response: String,
    conversation: String,
    item: String,
}

/// Every route with an id in it or in its body, and what it answers when there is nothing of that id.
fn routes(ids: &Ids) -> Vec<(Method, &'static str, String, Option<Value>, u16)> {
    let Ids { response, conversation, item } = ids;
    let (a_response, a_conversation) =
        (format!("/v1/responses/{response}"), format!("/v1/conversations/{conversation}"));
    let items = format!("{a_conversation}/items");
    let previous = json!({"input": "x", "previous_response_id": response});
    let within = json!({"input": "x", "conversation": conversation});
    let unstored = json!({"input": "x", "conversation": conversation, "store": false});
    let reference = json!({"input": [{"type": "item_reference", "id": item}]});
    let items_by_reference = json!({"items": [{"type": "item_reference", "id": item}]});
    let to =
        |path: &'static str, body: &Value, status: u16| (Method::POST, path, path.into(), Some(body.clone()), status);
    vec![
        (Method::GET, "/v1/models/{*id}", "/v1/models/c".into(), None, 404),
        to("/v1/responses", &previous, 400),
        to("/v1/responses", &within, 404),
        to("/v1/responses", &unstored, 404),
        to("/v1/responses", &reference, 400),
        to("/v1/responses/input_tokens", &within, 404),
        to("/v1/responses/input_tokens", &reference, 400),
        to("/v1/responses/compact", &previous, 400),
        to("/v1/responses/compact", &reference, 400),
        to("/v1/conversations", &items_by_reference, 400),
        (Method::GET, "/v1/responses/{id}", a_response.clone(), None, 404),
        (Method::GET, "/v1/responses/{id}", format!("{a_response}?stream=true&starting_after=0"), None, 404),
        (Method::DELETE, "/v1/responses/{id}", a_response.clone(), None, 404),
        (Method::POST, "/v1/responses/{id}/cancel", format!("{a_response}/cancel"), Some(json!({})), 404),
        (Method::GET, "/v1/responses/{id}/input_items", format!("{a_response}/input_items"), None, 404),
        (Method::GET, "/v1/conversations/{id}", a_conversation.clone(), None, 404),
        (Method::POST, "/v1/conversations/{id}", a_conversation.clone(), Some(json!({"metadata": {"k": "v"}})), 404),
        (Method::DELETE, "/v1/conversations/{id}", a_conversation, None, 404),
        (Method::GET, "/v1/conversations/{id}/items", items.clone(), None, 404),
        (
            Method::POST,
            "/v1/conversations/{id}/items",
            items.clone(),
            Some(json!({"items": [{"role": "user", "content": "x"}]})),
            404,
        ),
        (Method::GET, "/v1/conversations/{id}/items/{item}", format!("{items}/{item}"), None, 404),
        (Method::DELETE, "/v1/conversations/{id}/items/{item}", format!("{items}/{item}"), None, 404),
    ]
}

/// These name nothing that somebody has: a session that the project has not got is made.
const OTHERS: [(&str, &str); 4] = [
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
];

#[tokio::test]
async fn another_project_finds_nothing_on_any_route() {
    let server = Server::start().await;
    let made = server.post("/v1/conversations", json!({"metadata": {"topic": "canary"}})).await.expect(200);
    let conversation = id(&made);
    let body = json!({"model": "c", "conversation": conversation, "input": "canary"});
    let response = id(&server.post("/v1/responses", body).await.expect(200));
    let items = server.get(&format!("/v1/conversations/{conversation}/items")).await.expect(200);
    let theirs = |item: usize| Ids {
        response: response.clone(),
        conversation: conversation.clone(),
        item: id(&items["data"][item]),
    };
    let (owner, stranger) = (server.key("default").await, server.key("other").await);
    let (owner, stranger) = (format!("Bearer {owner}"), format!("Bearer {stranger}"));
    // With a model of its own, so that nothing is refused for want of one.
    let config = json!({"id": "d", "name": "d", "provider": "scripted", "model": "m"});
    server.ask(Method::POST, "/configs", &[("authorization", &stranger)], Some(config)).await.expect(201);
    let (answered, asked) = (theirs(0), theirs(1));
    let before = everything(&server, &owner, &answered).await;

    let of_both = [&answered, &asked].into_iter().flat_map(|ids| routes(ids).into_iter().zip(routes(&nobodys(ids))));
    for (known, unknown) in of_both {
        let (method, _, path, body, status) = known;
        server.ask(method.clone(), &path, &[], body.clone()).await.refused(401, "api_key_required", "");
        let as_stranger = [("authorization", stranger.as_str())];
        let answer = server.ask(method.clone(), &path, &as_stranger, body).await;
        let nothing = server.ask(unknown.0, &unknown.2, &as_stranger, unknown.3).await;
        assert_eq!(answer.expect(status), nothing.expect(status), "{method} {path}: like what does not exist");
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    let as_stranger = [("authorization", stranger.as_str())];
    let models = server.ask(Method::GET, "/v1/models", &as_stranger, None).await.expect(200);
    assert_eq!((id(&models["data"][0]), &models["data"][1]), ("d".to_owned(), &Value::Null));
    // A cursor of another project's is one of no list.
    let own = server.ask(Method::POST, "/v1/conversations", &as_stranger, Some(json!({}))).await.expect(200);
    let path = format!("/v1/conversations/{}/items?after={}", id(&own), answered.item);
    server.ask(Method::GET, &path, &as_stranger, None).await.refused(400, "invalid_cursor", "after");
    let path = format!("/v1/conversations/{}/items/{}", id(&own), answered.item);
    server.ask(Method::GET, &path, &as_stranger, None).await.refused(404, "item_not_found", "");

    assert_eq!(server.scripted.calls().len(), 1, "no model was called");

    // A session of that name is the stranger's own.
    let session = answered.conversation.strip_prefix("conv_").unwrap();
    let headers = [("authorization", stranger.as_str()), ("x-turnwise-session", session)];
    let body = json!({"model": "d", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
    for (path, told) in [("/v1/chat/completions", 1), ("/v1/messages", 3)] {
        server.ask(Method::POST, path, &headers, Some(body.clone())).await.expect(200);
        let sent = server.scripted.calls().last().unwrap().messages();
        assert_eq!(sent.len(), told, "{sent:?}");
        assert!(sent.iter().all(|(_, text)| !text.contains("canary")), "{sent:?}");
    }
    assert_eq!(everything(&server, &owner, &answered).await, before, "and nothing was changed");
}

#[test]
fn no_route_is_left_out() {
    let sources = [include_str!("../../src/openai/mod.rs"), include_str!("../../src/anthropic/mod.rs")].concat();
    let nobody = Ids { response: String::new(), conversation: String::new(), item: String::new() };
    let mut asked: BTreeSet<(String, String)> =
        routes(&nobody).iter().map(|(method, route, ..)| (method.to_string(), (*route).to_owned())).collect();
    asked.extend(OTHERS.map(|(method, route)| (method.to_owned(), route.to_owned())));
    let mut served = BTreeSet::new();
    for route in sources.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if route.contains(&format!("{method}(")) {
                served.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    assert_eq!(asked, served);
}

/// Ids of the same form, which nobody has.
fn nobodys(ids: &Ids) -> Ids {
    let other = |id: &str| {
        let (kept, end) = id.split_at(id.len() - 8);
        format!("{kept}{}{}", if end.starts_with("0000") { "1111" } else { "0000" }, &end[4..])
    };
    Ids { response: other(&ids.response), conversation: other(&ids.conversation), item: other(&ids.item) }
}

async fn everything(server: &Server, key: &str, ids: &Ids) -> Vec<Value> {
    let mut found = Vec::new();
    for (method, _, path, ..) in routes(ids).into_iter().filter(|(method, ..)| method == Method::GET) {
        let answer = server.ask(method, &path, &[("authorization", key)], None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        found.push(json!([path, answer.text()]));
    }
    found
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}
