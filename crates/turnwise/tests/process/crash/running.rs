//! Killed in the middle of answers.

use std::time::Duration;

use serde_json::json;
use upstream::{Script, Step};

use crate::support::{Event, Lab, bytes, text, turn_id, within};

#[tokio::test]
async fn ten_streams_killed_half_way_end_with_what_was_stored_and_their_queues_run() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "first" => Script::deltas(["part one ", "part two"]).at(1, Step::gate("half")),
        other => Script::text(&format!("answer to {other}")),
    });
    let mut streams = Vec::new();
    for n in 0..10 {
        let session = format!("s{n}");
        lab.session(&session).await;
        let body = json!({"session_id": session, "message": "first", "stream": true});
        let mut stream = lab.client.post_stream("/chat", &body).await;
        let seen = stream.until("message.delta").await;
        let queued = lab.send(&session, "second").await;
        streams.push((session, seen, queued));
    }
    for (_, seen, _) in &streams {
        lab.wait_for_segment(&turn_id(&seen[0].data)).await;
    }

    lab.crash().await;
    within(Duration::from_secs(2), "no running turn", async || {
        (lab.home.number("SELECT count(*) FROM chat_turns WHERE status IN ('running', 'queued')") == 0).then_some(())
    })
    .await;
    for (session, mut seen, queued) in streams {
        let turn = turn_id(&seen[0].data);
        let last = &seen.last().unwrap().id;
        let path = format!("/turns/{turn}/events");
        let resumed = lab.client.with("last-event-id", last).follow(&path).await.rest().await;
        let (first, last) = (&resumed[0], resumed.last().unwrap());
        assert_eq!((first.name.as_str(), &first.data["text"]), ("snapshot", &json!("part one ")));
        assert_eq!((last.name.as_str(), &last.data["reason"]), ("turn.incomplete", &json!("interrupted")));
        assert_eq!(last.data["message"]["content"], "part one ");
        seen.extend(resumed);
        assert_eq!(bytes(&lab.events(&turn).await), bytes(&seen), "a replay is what the watcher saw");

        assert_eq!(lab.turn(&queued).await["status"], "completed");
        let said: Vec<String> = lab.messages(&session).await.into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, ["first", "part one ", "second", "answer to second"]);
        assert!(lab.prompt_is_exact(&turn).await);
        assert!(lab.prompt_is_exact(&queued).await);
    }
}

#[tokio::test]
async fn a_turn_of_which_nothing_was_stored_runs_again() {
    let mut lab = Lab::start().await;
    lab.upstream.respond_each([Script::raw().then(Step::Hang), Script::deltas(["whole ", "answer"])]);
    let mut stream = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let started = stream.next().await.unwrap();
    assert_eq!(started.name, "turn.started");
    let turn = turn_id(&started.data);
    lab.upstream.wait_for_requests(1).await;

    lab.crash().await;
    let resumed = lab.client.with("last-event-id", &started.id).follow(&format!("/turns/{turn}/events")).await;
    let resumed = { resumed }.rest().await;
    assert_eq!(resumed[0].name, "snapshot", "what was shown before is taken back");
    assert_eq!(resumed[0].data["text"], "");
    assert_eq!(text(&resumed), "whole answer");
    let last = resumed.last().unwrap();
    assert_eq!(last.name, "turn.completed");
    let ended = lab.turn(&turn).await;
    assert_eq!((&ended["status"], &ended["attempts"]), (&json!("completed"), &json!(2)));
    let [first, second] = lab.prompts().try_into().unwrap();
    assert_eq!(first, second, "the same request once more");
}

#[tokio::test]
async fn a_turn_that_kills_its_server_again_and_again_is_given_up() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::raw().then(Step::Hang));
    lab.session("s").await;
    let turn = lab.send("s", "hi").await;
    for calls in 1..=3 {
        lab.upstream.wait_for_requests(calls).await;
        lab.crash().await;
    }
    let ended = lab.ended(&turn).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("incomplete"), &json!("interrupted")));
    assert_eq!(lab.upstream.received(), 3);
}

#[tokio::test]
async fn what_a_watcher_saw_beyond_the_last_segment_is_taken_back_in_so_many_words() {
    killed_after_the_second_delta(&[], |seen, stored| seen.starts_with(stored) && stored.starts_with("stored ")).await;
}

#[tokio::test]
async fn with_strict_durability_nothing_that_was_seen_is_taken_back() {
    killed_after_the_second_delta(&["--durability", "strict"], |seen, stored| seen == stored).await;
}

async fn killed_after_the_second_delta(arguments: &[&str], as_promised: fn(&str, &str) -> bool) {
    let mut lab = Lab::with(arguments).await;
    lab.upstream
        .respond(|_| Script::deltas(["stored ", "shown ", "never"]).at(1, Step::gate("one")).at(2, Step::gate("two")));
    let mut stream = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let mut seen = stream.until("message.delta").await;
    let turn = turn_id(&seen[0].data);
    lab.wait_for_segment(&turn).await;
    lab.upstream.open("one");
    seen.extend(stream.until("message.delta").await);
    lab.server.signal(libc::SIGKILL);
    seen.extend(stream.until_cut().await);
    lab.server.exit().await;
    lab.restart().await;

    let path = format!("/turns/{turn}/events");
    let last = &seen.last().unwrap().id;
    let resumed = lab.client.with("last-event-id", last).follow(&path).await.rest().await;
    assert_eq!(resumed[0].name, "snapshot");
    assert_eq!(resumed.iter().filter(|event| event.name == "snapshot").count(), 1);
    let stored = resumed[0].data["text"].as_str().unwrap();
    assert!(as_promised(&text(&seen), stored), "seen {:?}, stored {stored:?}", text(&seen));
    let ended = resumed.last().unwrap();
    assert!(ended.is_final());
    assert_eq!(ended.data["message"]["content"], stored);
    // No number is used for two things.
    let ids: Vec<&String> = seen.iter().chain(&resumed).map(|event: &Event| &event.id).collect();
    assert_eq!(ids.len(), std::collections::HashSet::<&String>::from_iter(ids.iter().copied()).len(), "{ids:?}");
}
