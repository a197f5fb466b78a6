//! A busy session: waiting, being refused, interrupting, cancelling, changing what waits, pausing.

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Lab, eventually, text, turn_id};

/// A session whose first turn has said "Hel" and stands at the gate `half`.
async fn busy(arguments: &[&str]) -> (Lab, String) {
    let lab = Lab::with(arguments).await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "first" => Script::deltas(["Hel", "lo"]).at(1, Step::gate("half")),
        "fails" => Script::error(400, "bad", "no"),
        other => Script::text(&format!("answer to {other}")),
    });
    lab.session("s").await;
    let first = lab.send("s", "first").await;
    let mut stream = lab.client.follow(&format!("/turns/{first}/events")).await;
    stream.until("message.delta").await;
    (lab, first)
}

async fn words(lab: &Lab) -> Vec<String> {
    lab.messages("s").await.into_iter().map(|(_, text)| text).collect()
}

#[tokio::test]
async fn a_send_that_will_not_wait_is_told_who_is_in_the_way() {
    let (lab, first) = busy(&[]).await;
    let body = json!({"session_id": "s", "message": "hi", "if_busy": "reject"});
    let error = lab.client.post("/chat", &body).await.error(409, "session_busy");
    assert_eq!(error["turn_id"], first.as_str());
    lab.upstream.open("half");
    lab.ended(&first).await;
    assert_eq!(words(&lab).await, ["first", "Hello"]);
    lab.client.post("/chat", &body).await.expect(200);
}

#[tokio::test]
async fn an_interrupt_keeps_what_was_said_and_goes_before_what_waits() {
    let (lab, first) = busy(&[]).await;
    let queued = lab.send("s", "second").await;
    let body = json!({"session_id": "s", "message": "stop, this", "if_busy": "interrupt"});
    let answer = lab.client.post("/chat", &body).await.expect(200);
    assert_eq!(answer["message"]["content"], "answer to stop, this");
    lab.upstream.wait_for_left(1).await;
    let first = lab.turn(&first).await;
    assert_eq!((&first["status"], &first["message"]["content"]), (&json!("cancelled"), &json!("Hel")));
    lab.ended(&queued).await;
    assert_eq!(words(&lab).await, ["first", "Hel", "stop, this", "answer to stop, this", "second", "answer to second"]);
    for turn in [turn_id(&first), turn_id(&answer), queued] {
        assert!(lab.prompt_is_exact(&turn).await);
    }
}

#[tokio::test]
async fn the_queue_has_a_bound_and_says_so() {
    let (lab, _) = busy(&["--queue-max", "2"]).await;
    lab.send("s", "second").await;
    lab.send("s", "third").await;
    let full = lab.client.post("/chat", &json!({"session_id": "s", "message": "fourth"})).await;
    let error = full.error(429, "queue_full");
    assert!(error["message"].as_str().unwrap().contains("queue_max = 2"), "{error}");
    assert!(full.headers.contains_key("retry-after"));
    assert_eq!(error["type"], "rate_limit_error");
    lab.session("other").await;
    lab.chat("other", "elsewhere there is room").await;
}

#[tokio::test]
async fn a_running_turn_is_cancelled_at_once_with_what_it_said() {
    let (lab, first) = busy(&[]).await;
    let mut watcher = lab.client.follow(&format!("/turns/{first}/events")).await;
    let queued = lab.send("s", "second").await;
    let cancelled = lab.client.post(&format!("/turns/{first}/cancel"), &json!({})).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["message"]["content"]), (&json!("cancelled"), &json!("Hel")));
    lab.upstream.wait_for_left(1).await;
    let events = watcher.rest().await;
    assert_eq!(events.last().unwrap().name, "turn.cancelled");
    assert_eq!(text(&events), "Hel");
    lab.ended(&queued).await;
    assert_eq!(words(&lab).await, ["first", "Hel", "second", "answer to second"]);
    // Once more is no error, and changes nothing.
    let again = lab.client.post(&format!("/turns/{first}/cancel"), &json!({})).await.expect(200);
    assert_eq!(again, lab.turn(&first).await);
    let done = lab.client.post(&format!("/turns/{queued}/cancel"), &json!({})).await.expect(200);
    assert_eq!(done["status"], "completed");
}

#[tokio::test]
async fn a_queued_turn_that_is_cancelled_never_runs_and_leaves_no_message() {
    let (lab, first) = busy(&[]).await;
    let second = json!({"session_id": "s", "message": "second", "stream": true});
    let mut second = lab.client.post_stream("/chat", &second).await;
    let waiting = turn_id(&second.next().await.unwrap().data);
    let third = lab.send("s", "third").await;
    let cancelled = lab.client.post(&format!("/turns/{waiting}/cancel"), &json!({})).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["number"]), (&json!("cancelled"), &Value::Null));
    let events = second.rest().await;
    assert_eq!(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["turn.cancelled"]);
    lab.upstream.open("half");
    lab.ended(&third).await;
    assert_eq!(lab.turn(&first).await["status"], "completed");
    assert_eq!(words(&lab).await, ["first", "Hello", "third", "answer to third"]);
    assert_eq!(lab.upstream.received(), 2);
}

#[tokio::test]
async fn a_queued_turn_can_be_reworded_and_moved_until_it_starts() {
    let (lab, first) = busy(&[]).await;
    let mut turns = Vec::new();
    for message in ["a", "b", "c"] {
        turns.push(lab.send("s", message).await);
    }
    let path = |turn: &str| format!("/turns/{turn}");
    let moved = lab.client.patch(&path(&turns[2]), &json!({"position": 0})).await.expect(200);
    assert_eq!(moved["input"], "c");
    let reworded = lab.client.patch(&path(&turns[0]), &json!({"message": "a, better"})).await.expect(200);
    assert_eq!(reworded["input"], "a, better");
    lab.client.patch(&path(&turns[1]), &json!({"position": 99, "message": "b, last"})).await.expect(200);
    let shown = lab.client.get("/sessions/s").await.expect(200);
    let queue: Vec<&Value> = shown["queue"].as_array().unwrap().iter().map(|turn| &turn["input"]).collect();
    assert_eq!(queue, ["c", "a, better", "b, last"]);
    lab.client.patch(&path(&first), &json!({"message": "too late"})).await.error(409, "turn_already_started");
    lab.client.patch(&path(&turns[0]), &json!({"message": ""})).await.error(400, "message_empty");

    lab.upstream.open("half");
    for turn in &turns {
        lab.ended(turn).await;
        assert!(lab.prompt_is_exact(turn).await);
    }
    let asked: Vec<String> = lab.prompts().iter().map(|prompt| prompt.last().unwrap().1.clone()).collect();
    assert_eq!(asked, ["first", "c", "a, better", "b, last"]);
    assert_eq!(words(&lab).await[2..4], ["c", "answer to c"]);
}

#[tokio::test]
async fn after_a_failure_the_queue_goes_on_unless_the_session_asked_for_a_pause() {
    let (lab, _) = busy(&[]).await;
    for (session, on_failure) in [("goes-on", "continue"), ("waits", "pause")] {
        lab.client.post("/sessions", &json!({"id": session, "on_failure": on_failure})).await.expect(201);
        lab.upstream.respond(|request| match request.last_user_message().as_str() {
            "fails" => Script::error(400, "bad", "no").before_head(Step::gate("fail")),
            other => Script::text(&format!("answer to {other}")),
        });
        let fails = lab.send(session, "fails").await;
        let behind = lab.send(session, "behind").await;
        lab.upstream.let_through("fail", 1);
        assert_eq!(lab.ended(&fails).await["status"], "failed");
        if on_failure == "pause" {
            let shown = lab.client.get("/sessions/waits").await.expect(200);
            assert_eq!((&shown["paused"], &shown["queued"]), (&json!(true), &json!(1)));
            let another = lab.send(session, "another").await;
            assert_eq!(lab.turn(&another).await["status"], "queued");
            let resumed = lab.client.post("/sessions/waits/resume", &json!({})).await.expect(200);
            assert_eq!(resumed["paused"], false);
            lab.ended(&another).await;
        }
        assert_eq!(lab.ended(&behind).await["message"]["content"], "answer to behind");
    }
}

#[tokio::test]
async fn a_paused_queue_is_still_paused_after_a_crash_and_a_retry_goes_before_it() {
    let (mut lab, _) = busy(&[]).await;
    lab.client.post("/sessions", &json!({"id": "p", "on_failure": "pause"})).await.expect(201);
    lab.upstream.respond(|_| Script::error(400, "bad", "no").before_head(Step::gate("fail")));
    let fails = lab.send("p", "fails").await;
    let behind = lab.send("p", "behind").await;
    lab.upstream.let_through("fail", 1);
    lab.ended(&fails).await;
    lab.crash().await;
    assert_eq!(lab.client.get("/sessions/p").await.expect(200)["paused"], true);
    assert_eq!(lab.turn(&behind).await["status"], "queued");

    lab.upstream.respond(|request| Script::text(&format!("answer to {}", request.last_user_message())));
    let retried = lab.client.post(&format!("/turns/{fails}/retry"), &json!({})).await.expect(200);
    assert_eq!(retried["message"]["content"], "answer to fails");
    lab.client.post("/sessions/p/resume", &json!({})).await.expect(200);
    assert_eq!(lab.ended(&behind).await["status"], "completed");
    let last = lab.prompts().pop().unwrap();
    let said: Vec<&str> = last.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(said, ["fails", "answer to fails", "behind"]);
}

#[tokio::test]
async fn a_config_that_allows_one_call_at_a_time_gets_one_at_a_time() {
    let lab = Lab::start().await;
    lab.config("narrow", json!({"max_concurrency": 1, "default": true})).await;
    lab.upstream.respond(|_| Script::text("ok").before_head(Step::gate("go")));
    let mut turns = Vec::new();
    for session in ["a", "b", "c"] {
        lab.session(session).await;
        turns.push(lab.send(session, "hi").await);
    }
    for calls in 1..=3 {
        lab.upstream.wait_at_gate("go", 1).await;
        assert_eq!(lab.upstream.received(), calls);
        lab.upstream.let_through("go", 1);
        lab.upstream.wait_for_completed(calls).await;
    }
    for turn in turns {
        assert_eq!(lab.ended(&turn).await["status"], "completed");
    }
}

#[tokio::test]
async fn a_deleted_session_stops_what_it_runs_and_comes_back_whole() {
    let (lab, first) = busy(&[]).await;
    let mut watcher = lab.client.follow(&format!("/turns/{first}/events")).await;
    let queued = json!({"session_id": "s", "message": "second", "stream": true});
    let mut waiting = lab.client.post_stream("/chat", &queued).await;
    waiting.until("turn.queued").await;

    lab.client.delete("/sessions/s").await.expect(204);
    assert_eq!(watcher.rest().await.last().unwrap().name, "turn.cancelled");
    assert_eq!(waiting.rest().await.last().unwrap().name, "turn.cancelled");
    lab.upstream.wait_for_left(1).await;
    for path in ["", "/messages", "/turns", "/export"] {
        lab.client.get(&format!("/sessions/s{path}")).await.error(404, "session_not_found");
    }
    lab.client.post("/chat", &json!({"session_id": "s", "message": "hi"})).await.error(404, "session_not_found");
    lab.client.patch("/sessions/s", &json!({"title": "x"})).await.error(404, "session_not_found");
    lab.client.delete("/sessions/s").await.error(404, "session_not_found");
    lab.client.post("/sessions", &json!({"id": "s"})).await.error(409, "id_taken");
    let listed = lab.client.get("/sessions").await.expect(200);
    assert_eq!(listed["data"], json!([]));

    let stopped = async || {
        let query = format!("SELECT count(*) FROM chat_turns WHERE id = '{first}' AND status = 'cancelled'");
        (lab.home.number(&query) == 1).then_some(())
    };
    eventually("the running turn to be cancelled", stopped).await;
    lab.client.post("/sessions/s/restore", &json!({})).await.expect(200);
    assert_eq!(words(&lab).await, ["first", "Hel"]);
    assert_eq!(lab.chat("s", "again").await["message"]["content"], "answer to again");
}
