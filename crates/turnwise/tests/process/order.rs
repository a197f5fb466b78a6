//! Sessions beside one another, and turns behind one another.

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Lab, turn_id};

#[tokio::test]
async fn three_sessions_at_once_are_three_upstream_calls_in_flight_together() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| {
        Script::text(&format!("answer to {}", request.last_user_message())).before_head(Step::gate("together"))
    });
    for session in ["a", "b", "c"] {
        lab.session(session).await;
    }
    let sends = ["a", "b", "c"].map(|session| {
        let client = lab.client.clone();
        tokio::spawn(async move {
            client.post("/chat", &json!({"session_id": session, "message": format!("hi from {session}")})).await
        })
    });
    lab.upstream.wait_at_gate("together", 3).await;
    lab.upstream.open("together");

    for (send, session) in sends.into_iter().zip(["a", "b", "c"]) {
        let answer = send.await.unwrap().expect(200);
        assert_eq!(answer["session_id"], session);
        assert_eq!(answer["message"]["content"], format!("answer to hi from {session}"));
    }
    for prompt in lab.prompts() {
        assert_eq!(prompt.len(), 1, "nothing of another session: {prompt:?}");
    }
}

#[tokio::test]
async fn ten_sends_at_once_to_one_session_become_ten_turns_in_one_order() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| Script::text(&format!("answer to {}", request.last_user_message())));
    lab.session("session_a").await;
    let sends = (1..=10).map(|n| {
        let client = lab.client.clone();
        let body = json!({"session_id": "session_a", "message": format!("question {n}")});
        tokio::spawn(async move { client.post("/chat", &body).await })
    });
    let sends = Vec::from_iter(sends);
    let mut answers = Vec::new();
    for send in sends {
        answers.push(send.await.unwrap().expect(200));
    }

    // One order, and it is the same for the upstream, the API and a plain SELECT.
    let prompts = lab.prompts();
    assert_eq!(prompts.len(), 10);
    let mut conversation: Vec<(String, String)> = Vec::new();
    for prompt in &prompts {
        let question = prompt.last().unwrap().clone();
        assert_eq!(question.0, "user");
        conversation.push(question.clone());
        assert_eq!(*prompt, conversation, "every request carries all that came before");
        conversation.push(("assistant".into(), format!("answer to {}", question.1)));
    }
    assert_eq!(lab.messages("session_a").await, conversation);

    let query = "SELECT role, content FROM chat_messages WHERE session_id = 'session_a'";
    let printed = lab.home.sqlite3(&[], query);
    let expected: Vec<String> = conversation.iter().map(|(role, text)| format!("{role}|{text}")).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);

    for answer in &answers {
        let question = answer["message"]["content"].as_str().unwrap().strip_prefix("answer to ").unwrap();
        let messages = lab.client.get("/sessions/session_a/messages?limit=100").await.expect(200);
        let asked = messages["data"].as_array().unwrap().iter().find(|message| message["content"] == question);
        assert_eq!(asked.unwrap()["turn_id"], answer["turn_id"], "an answer stands in its own turn");
        assert!(lab.prompt_is_exact(&turn_id(answer)).await);
    }
}

#[tokio::test]
async fn sends_queued_behind_a_running_turn_stand_behind_its_answer_in_the_table() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| {
        Script::text(&format!("a{}", &request.last_user_message()[1..])).before_head(Step::gate("go"))
    });
    lab.session("session_a").await;
    let mut turns = Vec::new();
    for message in ["u1", "u2", "u3"] {
        turns.push(lab.send("session_a", message).await);
    }
    lab.upstream.wait_at_gate("go", 1).await;
    // Acknowledged and waiting, but not messages of the conversation yet.
    let query = "SELECT group_concat(content, ' ') FROM chat_messages WHERE session_id = 'session_a'";
    assert_eq!(lab.home.sqlite3(&[], query).trim(), "u1");
    let shown = lab.client.get("/sessions/session_a").await.expect(200);
    let queue: Vec<&Value> = shown["queue"].as_array().unwrap().iter().map(|turn| &turn["input"]).collect();
    assert_eq!(queue, ["u2", "u3"]);

    lab.upstream.open("go");
    for turn in &turns {
        assert_eq!(lab.ended(turn).await["status"], "completed");
    }
    assert_eq!(lab.home.sqlite3(&[], query).trim(), "u1 a1 u2 a2 u3 a3");
    for turn in &turns {
        assert!(lab.prompt_is_exact(turn).await);
    }
}

#[tokio::test]
async fn the_window_sends_twenty_to_thirty_messages_whole_turns_and_a_steady_prefix() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| Script::text(&format!("a{}", &request.last_user_message()[1..])));
    lab.session("s").await;
    for n in 1..=26 {
        lab.chat("s", &format!("u{n}")).await;
    }
    let prompts = lab.prompts();
    let mut starts: Vec<String> = prompts.iter().map(|prompt| prompt[0].1.clone()).collect();
    for prompt in &prompts[10..] {
        let past = prompt.len() - 1;
        assert!((20..30).contains(&past), "{past} earlier messages");
        assert_eq!(prompt[0].0, "user", "whole turns");
    }
    starts.dedup();
    assert_eq!(starts, ["u1", "u6", "u11", "u16"], "the start moves by ten messages at a time");
}
