//! A conversation longer than any window, and one whose past cannot be read.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};
use upstream::{Script, Step};

use super::{ask, conversation, ended, id, respond, said};
use crate::support::Lab;

const TURNS: usize = 250;

#[tokio::test]
async fn of_five_hundred_items_the_model_gets_the_newest_and_a_list_every_one_once() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| Script::text(&format!("a{}", &request.last_user_message()[1..])));
    let conversation = conversation(&lab.client).await;
    let mut told: Vec<(String, String)> = Vec::new();
    for n in 0..TURNS {
        let response = respond(&lab.client, &conversation, format!("u{n}")).await;
        told.push(("user".into(), format!("u{n}")));
        told.push(("assistant".into(), said(&response)));
    }

    // The window of a config is 20 to 30 messages unless it says otherwise (docs/api.md).
    for (turn, prompt) in lab.prompts().iter().enumerate() {
        let newest = &told[..2 * turn + 1];
        assert!(newest.ends_with(prompt), "only the newest, and all in order: {prompt:#?}");
        assert!((newest.len().min(20)..=30).contains(&prompt.len()), "{} messages", prompt.len());
    }

    for (order, limit) in [("asc", 100), ("desc", 100), ("asc", 7), ("desc", 33)] {
        let mut listed = all(&lab, &conversation, order, limit).await;
        let mut ids = Vec::from_iter(listed.iter().map(id));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2 * TURNS, "each item once");
        if order == "desc" {
            listed.reverse();
        }
        let listed = listed.iter().map(|item| (item["role"].as_str().unwrap().to_owned(), said(item)));
        assert_eq!(Vec::from_iter(listed), told, "{order}, {limit} at a time");
    }
}

/// Page by page, as clients do.
async fn all(lab: &Lab, conversation: &str, order: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/conversations/{conversation}/items?order={order}&limit={limit}{after}");
        let page = lab.client.get(&path).await.expect(200);
        let items = page["data"].as_array().unwrap().clone();
        assert_eq!((&page["first_id"], &page["last_id"]), (&items[0]["id"], &items[items.len() - 1]["id"]));
        found.extend(items);
        if page["has_more"] == false {
            return found;
        }
        assert_eq!(page["data"].as_array().unwrap().len(), limit);
        after = format!("&after={}", page["last_id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_response_whose_history_lies_in_a_damaged_page_fails_and_no_model_is_called() {
    let (mut lab, conversation) = lab_with_a_past().await;
    let whole = stopped(&mut lab).await;
    // Bytes 16 and 17 of the file are the size of its pages, and a leaf with rows begins with 13
    // (https://sqlite.org/fileformat.html).
    let size = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let text = b"answer to u1:";
    let mut file = whole.clone();
    let holds = |page: &&mut [u8]| page[0] == 13 && page.windows(text.len()).any(|window| window == text);
    let mut damaged = file.chunks_mut(size).filter(holds);
    damaged.next().unwrap().fill(0xff);
    assert_eq!(damaged.next(), None, "one page, so that writing goes on");
    std::fs::write(database(&lab), file).unwrap();
    nothing_is_answered_without_its_past(&mut lab, &conversation, &whole).await;
}

#[tokio::test]
async fn a_response_whose_history_makes_no_sense_fails_and_no_model_is_called() {
    let (mut lab, conversation) = lab_with_a_past().await;
    let whole = stopped(&mut lab).await;
    let nonsense = "UPDATE chat_messages SET role = 'nobody' WHERE content LIKE 'answer to u1:%'";
    let changed = Command::new("sqlite3").arg(database(&lab)).arg(format!("{nonsense}; SELECT changes()")).output();
    assert_eq!(String::from_utf8(changed.unwrap().stdout).unwrap().trim(), "1");
    nothing_is_answered_without_its_past(&mut lab, &conversation, &whole).await;
}

#[tokio::test]
async fn a_queued_response_whose_history_makes_no_sense_fails_when_its_turn_comes_and_the_next_one_runs() {
    let (mut lab, conversation) = lab_with_a_past().await;
    let turns = format!("/sessions/{}/turns", conversation.strip_prefix("conv_").unwrap());
    let turns = lab.client.get(&turns).await.expect(200);
    stopped(&mut lab).await;
    let nonsense = "UPDATE chat_messages SET role = 'nobody' WHERE content LIKE 'answer to u5:%'";
    assert!(Command::new("sqlite3").arg(database(&lab)).arg(nonsense).status().unwrap().success());
    lab.restart().await;
    let behind = async |turn: usize, input: &str| {
        let previous = format!("resp_{}", turns["data"][turn]["turn_id"].as_str().unwrap());
        let body = json!({"model": "up", "previous_response_id": previous, "input": input, "background": true});
        id(&lab.client.post("/v1/responses", &body).await.expect(200))
    };
    lab.upstream.respond(|_| Script::text("here").before_head(Step::gate("held")));
    let called = lab.upstream.received();
    let (running, unread, next) = (behind(0, "one").await, behind(7, "two").await, behind(0, "three").await);
    lab.upstream.wait_at_gate("held", 1).await;
    lab.upstream.open("held");
    assert_eq!(ended(&lab.client, &running).await["status"], "completed");
    let failed = ended(&lab.client, &unread).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("server_error")));
    assert_eq!(ended(&lab.client, &next).await["status"], "completed");
    assert_eq!(lab.upstream.received(), called + 2, "nobody was asked with less");
    let asked = lab.client.get(&format!("/v1/responses/{unread}/input_items")).await.expect(200);
    assert_eq!(said(&asked["data"][0]), "two", "what was acknowledged is kept");
}

async fn lab_with_a_past() -> (Lab, String) {
    let lab = Lab::start().await;
    let long = "so long that few of them share a page of the file, ".repeat(16);
    lab.upstream.respond(move |request| Script::text(&format!("answer to {}: {long}", request.last_user_message())));
    let conversation = conversation(&lab.client).await;
    for n in 0..8 {
        respond(&lab.client, &conversation, format!("u{n}")).await;
    }
    (lab, conversation)
}

/// Ends the server, and gives its database as it is.
async fn stopped(lab: &mut Lab) -> Vec<u8> {
    lab.server.terminate();
    lab.server.exit().await;
    std::fs::read(database(lab)).unwrap()
}

fn database(lab: &Lab) -> PathBuf {
    lab.home.data().join("turnwise.db")
}

/// `whole` is the database as it was before it was damaged. A restart has forgotten what was remembered of it.
async fn nothing_is_answered_without_its_past(lab: &mut Lab, conversation: &str, whole: &[u8]) {
    lab.restart().await;
    let called = lab.upstream.received();
    for how in [json!({}), json!({"stream": true}), json!({"background": true})] {
        let mut body = ask(conversation, "are you there?");
        body.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
        lab.client.post("/v1/responses", &body).await.error(500, "internal_error");
    }
    assert_eq!(lab.upstream.received(), called);
    let other = super::conversation(&lab.client).await;
    assert_eq!(respond(&lab.client, &other, "and here?").await["status"], "completed", "others are not concerned");

    // What could not be read was not given up either.
    stopped(lab).await;
    std::fs::write(database(lab), whole).unwrap();
    lab.restart().await;
    respond(&lab.client, conversation, "are you there?").await;
    let prompt = lab.prompts().pop().unwrap();
    assert_eq!(prompt.len(), 17);
    assert!(prompt[3].1.starts_with("answer to u1:"), "{prompt:#?}");
}
