//! Holds what clients were told against what is there: promises I1, I2, I4, I6 and I7.

use std::{collections::HashMap, time::Duration};

use serde_json::json;

use super::story::{Log, Sent, answer_to};
use crate::support::{Lab, text, turn_id, within};

/// A turn of a session as it stands in the table, in the table's order.
#[derive(Debug, Default)]
struct Row {
    turn: String,
    user: String,
    answer: Option<String>,
}

pub async fn check(lab: &Lab, log: &Log) {
    quiet(lab).await;
    for session in &log.perhaps_deleted {
        lab.client.post(&format!("/sessions/{session}/restore"), &json!({})).await.expect(200);
    }
    for sent in &log.sent {
        told_the_truth(lab, sent).await;
    }
    once_more(lab, log).await;
    quiet(lab).await;

    for session in &log.sessions {
        let rows = conversation(lab, session);
        let sent: Vec<&Sent> = log.sent.iter().filter(|sent| sent.session == *session).collect();
        in_order(lab, &rows, &sent).await;
        for sent in sent {
            there_once(lab, &rows, sent).await;
        }
        prompts_were_paths(lab, session, &rows).await;
    }
    for (turn, fork) in &log.forks {
        let copied = lab.messages(fork).await;
        let source = lab.client.get(&format!("/turns/{turn}")).await.expect(200);
        let session = source["session_id"].as_str().unwrap();
        let branch = format!("/sessions/{session}/messages?branch={turn}&limit=100");
        let path = lab.client.get(&branch).await.expect(200);
        assert_eq!(copied, crate::support::said(&path["data"]), "a fork is a copy");
    }
    for config in &log.configs {
        lab.client.get(&format!("/configs/{config}")).await.expect(200);
    }
}

/// I6: everything admitted ends.
async fn quiet(lab: &Lab) {
    within(Duration::from_secs(15), "every turn to end", async || {
        let open = "SELECT count(*) FROM chat_turns WHERE status IN ('running', 'queued')";
        (lab.home.number(open) == 0).then_some(())
    })
    .await;
}

/// I1, I7: what a client was told of its turn still stands.
async fn told_the_truth(lab: &Lab, sent: &Sent) {
    let Some(turn) = &sent.turn else { return };
    let stored = lab.turn(turn).await;
    let status = stored["status"].as_str().unwrap();
    if let Some(ended) = &sent.ended {
        for field in ["status", "message", "finish", "usage", "error", "reason"] {
            assert_eq!(stored[field], ended[field], "{field} of an end that was shown: {sent:#?}");
        }
    }
    assert!(!sent.cancelled || status == "cancelled", "{sent:#?}");

    let replay = lab.events(turn).await;
    for shown in &sent.shown {
        if let Some(again) = replay.iter().find(|event| event.id == shown.id) {
            assert_eq!(again.raw, shown.raw, "a number stands for the same bytes for ever");
        }
    }
    let (shown, said) = (text(&sent.shown), stored["message"]["content"].as_str().unwrap_or_default());
    let whole = answer_to(&sent.nonce).concat();
    if !shown.is_empty() {
        assert!(whole.starts_with(&shown), "{sent:#?}");
    }
    match status {
        "incomplete" => {
            assert_eq!(stored["reason"], "interrupted");
            assert!(!said.is_empty(), "a turn of which nothing was stored runs again: {sent:#?}");
            assert!(said.starts_with(&shown) || shown.starts_with(said), "{sent:#?}");
        }
        "completed" | "cancelled" => assert!(said.starts_with(&shown), "{status}: {said:?} holds what was shown"),
        other => panic!("{other}: {stored}"),
    }
}

/// I4: every request sent again under its key joins the turn that there is, or makes the one that there was not.
async fn once_more(lab: &Lab, log: &Log) {
    for sent in log.sent.iter().filter(|sent| !sent.refused) {
        let mut body = sent.body.clone();
        body["wait"] = false.into();
        let again = lab.client.once(&sent.nonce).post("/chat", &body).await;
        if again.status == 404 {
            assert!(sent.turn.is_none() && !log.sessions.contains(&sent.session), "{}", again.text());
            continue;
        }
        let again = turn_id(&again.expect(202));
        if let Some(turn) = &sent.turn {
            assert_eq!(again, *turn, "one key, one turn: {sent:#?}");
        }
    }
}

fn conversation(lab: &Lab, session: &str) -> Vec<Row> {
    let query =
        format!("SELECT turn_id, number, place, role, content FROM chat_messages WHERE session_id = '{session}'");
    let mut rows: Vec<Row> = Vec::new();
    let mut before = 0;
    for message in lab.home.rows(&query) {
        let word = |name: &str| message[name].as_str().unwrap().to_owned();
        let number = message["number"].as_u64().unwrap();
        match word("role").as_str() {
            "user" => {
                assert!(number > before, "a plain SELECT is in order: {message}");
                rows.push(Row { turn: word("turn_id"), user: word("content"), answer: None });
            }
            "assistant" => {
                let last = rows.last_mut().unwrap();
                assert_eq!((last.turn.clone(), last.answer.is_none()), (word("turn_id"), true), "one answer per turn");
                last.answer = Some(word("content"));
            }
            other => panic!("{other}"),
        }
        before = number;
    }
    rows
}

/// I2: a turn that was acknowledged before another was sent stands before it, unless the later one overtook.
async fn in_order(lab: &Lab, rows: &[Row], sent: &[&Sent]) {
    let place = |turn: &str| rows.iter().position(|row| row.turn == turn);
    let acknowledged =
        sent.iter().filter(|sent| sent.body["if_busy"] != "interrupt").filter_map(|sent| sent.turn.clone());
    let places: Vec<usize> = acknowledged.filter_map(|turn| place(&turn)).collect();
    assert!(places.is_sorted(), "{places:?} in {rows:#?}");

    // What the API shows is what the table holds.
    if let Some(session) = sent.first().map(|sent| &sent.session) {
        let shown = lab.messages(session).await;
        let mut expected = Vec::new();
        for row in rows {
            expected.push(("user".to_owned(), row.user.clone()));
            expected.extend(row.answer.clone().map(|answer| ("assistant".to_owned(), answer)));
        }
        assert_eq!(shown, expected);
    }
}

/// I1: a message that was acknowledged is there, once and in the words that were sent; another at most once.
async fn there_once(lab: &Lab, rows: &[Row], sent: &Sent) {
    let (words, sure) = sent.edited.clone().unwrap_or((sent.nonce.clone(), true));
    let found: Vec<&Row> = rows.iter().filter(|row| row.user == sent.nonce || row.user == words).collect();
    let Some(turn) = &sent.turn else {
        assert!(found.len() <= 1, "{sent:#?} is there {} times", found.len());
        return;
    };
    let stored = lab.turn(turn).await;
    if stored["number"].is_null() {
        assert_eq!((stored["status"].as_str(), found.len()), (Some("cancelled"), 0), "{sent:#?}");
        return;
    }
    let [row] = found.as_slice() else { panic!("{sent:#?} is there {} times", found.len()) };
    assert_eq!(row.turn, *turn);
    assert!(!sure || row.user == words, "an acknowledged edit stands: {row:#?}");
}

/// I2: each upstream request held exactly the path of its turn.
async fn prompts_were_paths(lab: &Lab, session: &str, rows: &[Row]) {
    let mut path: Vec<(String, String)> = Vec::new();
    let mut expected: HashMap<&str, Vec<(String, String)>> = HashMap::new();
    for row in rows {
        let input = ("user".to_owned(), row.user.clone());
        let prompt = [path.as_slice(), std::slice::from_ref(&input)].concat();
        expected.insert(&row.user, prompt);
        let status = lab.turn(&row.turn).await["status"].clone();
        if status == "completed" || row.answer.as_ref().is_some_and(|answer| !answer.is_empty()) {
            path.push(input);
            path.extend(row.answer.clone().map(|answer| ("assistant".to_owned(), answer)));
        }
        assert!(lab.prompt_is_exact(&row.turn).await || never_called(lab, &row.user), "{row:#?}");
    }
    let of_session = format!("{session}-");
    for prompt in lab.prompts() {
        let asked = &prompt.last().unwrap().1;
        if asked.starts_with(&of_session) {
            assert_eq!(Some(&prompt), expected.get(asked.as_str()), "a request holds its turn's path");
        }
    }
}

fn never_called(lab: &Lab, words: &str) -> bool {
    lab.prompts().iter().all(|prompt| prompt.last().unwrap().1 != *words)
}
