//! `GET /search`: what was said is found, soon after it was said.

use serde_json::{Value, json};
use upstream::Script;

use crate::support::{Lab, eventually};

async fn hits(lab: &Lab, q: &str) -> Vec<Value> {
    lab.client.get(&format!("/search?q={q}")).await.expect(200)["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn messages_and_titles_are_found_in_both_languages_and_gone_with_their_session() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("The Great Wall is near 北京."));
    lab.session("s").await;
    lab.chat("s", "明天去北京旅行，带什么？").await;
    // 北京, two characters.
    let found = eventually("the index", async || {
        let found = hits(&lab, "%E5%8C%97%E4%BA%AC").await;
        (found.len() >= 2).then_some(found)
    })
    .await;
    assert!(found.iter().all(|hit| hit["session_id"] == "s"), "{found:?}");
    let marked: Vec<&Value> =
        found[0]["snippet"].as_array().unwrap().iter().filter(|piece| piece["hit"] == true).collect();
    assert_eq!(marked[0]["text"], "北京");
    assert!(!hits(&lab, "great%20wall").await.is_empty());
    assert!(hits(&lab, "%E4%B8%8A%E6%B5%B7").await.is_empty());

    lab.client.patch("/sessions/s", &json!({"title": "Packing list"})).await.expect(200);
    assert!(hits(&lab, "packing").await.iter().any(|hit| hit["session_title"] == "Packing list"));
    lab.client.delete("/sessions/s").await.expect(204);
    assert!(hits(&lab, "packing").await.is_empty());
    assert!(hits(&lab, "%E5%8C%97%E4%BA%AC").await.is_empty());
}

#[tokio::test]
async fn a_search_for_nothing_is_refused() {
    let lab = Lab::start().await;
    for path in ["/search", "/search?q=", "/search?q=x&size=3", "/search?q=x&after=nowhere"] {
        let answer = lab.client.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
}
