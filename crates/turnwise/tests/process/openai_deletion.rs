//! What a client of `/v1` deletes is gone from the files' rows and from every later call.

use serde_json::{Value, json};
use upstream::Script;

use crate::support::{Lab, eventually};

const ASKED: &str = "quillfeather";
const ANSWERED: &str = "marmalade";

async fn hits(lab: &Lab, q: &str) -> usize {
    lab.client.get(&format!("/search?q={q}")).await.expect(200)["data"].as_array().unwrap().len()
}

/// Every row of every table, as text and as bytes.
fn rows_with(lab: &Lab, needle: &str) -> usize {
    let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    let dump = lab.home.sqlite3(&[], ".dump chat_% idempotency_keys projects search_titles_content").to_lowercase();
    assert!(dump.contains("something else"), "the dump has what was said");
    dump.lines().filter(|line| line.contains(needle) || line.contains(&hex)).count()
}

#[tokio::test]
async fn what_was_deleted_is_in_no_row_and_in_no_later_call() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "tell me a word" => Script::text(ANSWERED),
        said => Script::text(&format!("{} is what you said", said.len())),
    });
    let conversation = lab.client.post("/v1/conversations", &json!({})).await.expect(200)["id"].clone();
    let conversation = conversation.as_str().unwrap();
    let session = conversation.strip_prefix("conv_").unwrap();
    lab.client.patch(&format!("/sessions/{session}"), &json!({"title": "something else"})).await.expect(200);
    let say = async |lab: &Lab, input: &str| {
        let body = json!({"model": "up", "conversation": conversation, "input": input});
        lab.client.post("/v1/responses", &body).await.expect(200)
    };
    // Enough turns for the server to remember the window.
    for input in [&format!("my name is {ASKED}"), "tell me a word", "one", "two", "three", "something else"] {
        say(&lab, input).await;
    }
    for word in [ASKED, ANSWERED] {
        eventually("the index", async || (hits(&lab, word).await == 1).then_some(())).await;
        assert!(rows_with(&lab, word) > 0);
        assert!(lab.prompts().last().unwrap().iter().any(|(_, text)| text.contains(word)), "it is sent along");
    }

    let path = format!("/v1/conversations/{conversation}/items");
    let items = lab.client.get(&format!("{path}?order=asc&limit=100")).await.expect(200)["data"].clone();
    let items: Vec<&Value> = items.as_array().unwrap().iter().collect();
    assert_eq!(items.len(), 12);
    for word in [ASKED, ANSWERED] {
        let found = items.iter().find(|item| item["content"][0]["text"].as_str().unwrap().contains(word)).unwrap();
        lab.client.delete(&format!("{path}/{}", found["id"].as_str().unwrap())).await.expect(200);
    }

    for again in ["four", "five"] {
        say(&lab, again).await;
        let sent = lab.prompts().pop().unwrap();
        assert!(sent.iter().any(|(_, text)| text == "tell me a word"), "{sent:?}");
        for word in [ASKED, ANSWERED] {
            assert!(!sent.iter().any(|(_, text)| text.contains(word)), "{again}: {sent:?}");
            assert_eq!(hits(&lab, word).await, 0, "{word} is found");
            assert_eq!(rows_with(&lab, word), 0, "{word} is in a row");
            for export in ["json", "markdown"] {
                let export = lab.client.get(&format!("/sessions/{session}/export?format={export}")).await;
                assert!(export.status == 200 && !export.text().contains(word), "{}", export.text());
            }
        }
        lab.crash().await;
    }
}
