use axum::routing::get as route_get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use server::params::{Path, Query};

use crate::support::{around, get};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u8>,
    #[serde(default)]
    order: Order,
    q: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Asc,
    #[default]
    Desc,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needed {
    #[expect(dead_code, reason = "only its absence is looked at")]
    q: String,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only the refusal is looked at")]
struct Two {
    first: String,
    second: u32,
}

#[tokio::test]
async fn good_parameters_arrive() {
    let answer = get(&router(), "/list?limit=5&order=asc&q=%E4%BD%A0%20a%2Bb").await;
    assert_eq!(answer.json(), serde_json::json!({"limit": 5, "order": "asc", "q": "你 a+b"}));
    assert_eq!(get(&router(), "/list").await.status, 200);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let cases = [
        ("/list?limt=5", "unknown_parameter", "limt", "Did you mean `limit`?"),
        ("/list?foo=5", "unknown_parameter", "foo", "Known here: limit, order, q."),
        ("/list?limit=x", "invalid_value", "limit", "invalid digit"),
        ("/list?limit=256", "invalid_value", "limit", "too large"),
        ("/list?limit=", "invalid_value", "limit", "empty string"),
        ("/list?order=desk", "invalid_value", "order", "Did you mean `desc`?"),
        ("/list?limit=1&limit=2", "duplicate_parameter", "limit", "given twice"),
        ("/list?q=a%00b", "invalid_string", "", "NUL"),
        ("/needed", "missing_parameter", "q", "The query parameter `q` is missing."),
        ("/n/x", "invalid_path", "n", "at n: `x` is no u32."),
        ("/two/a/x", "invalid_path", "second", "at second: `x` is no u32."),
        ("/n/%ff", "invalid_path", "n", "not UTF-8"),
        ("/id/a%00b", "invalid_string", "", "NUL"),
    ];
    for (path, code, param, message) in cases {
        let answer = get(&router(), path).await;
        answer.refused(400, code, param);
        assert!(answer.error("message").contains(message), "{path}: {}", answer.error("message"));
    }
}

fn router() -> Router {
    let router = Router::new()
        .route("/list", route_get(|Query(list): Query<List>| async { Json(list) }))
        .route("/needed", route_get(|_: Query<Needed>| async {}))
        .route("/n/{n}", route_get(|Path(n): Path<u32>| async move { Json(n) }))
        .route("/two/{first}/{second}", route_get(|_: Path<Two>| async {}))
        .route("/id/{id}", route_get(|Path(id): Path<String>| async { id }));
    around(router)
}
