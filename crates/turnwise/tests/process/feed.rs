//! `GET /events`: all sessions over one connection.

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Event, Lab, Stream, text, turn_id};

/// Name and session of each event.
fn told(events: &[Event]) -> Vec<(String, String)> {
    let session = |event: &Event| event.data["session_id"].as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| (event.name.clone(), session(event))).collect()
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// Everything up to the end of that turn.
async fn until_end(feed: &mut Stream, turn: &str) -> Vec<Event> {
    feed.until_some("the turn's end", |event| event.is_final() && event.data["turn_id"] == turn).await
}

#[tokio::test]
async fn states_of_all_sessions_are_told_and_every_event_of_the_watched() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["Hel", "lo"]));
    let mut feed = lab.client.follow("/events?watch=a").await;
    for session in ["a", "b"] {
        lab.session(session).await;
        assert_eq!(told(&feed.take(1).await), [("session.created".into(), session.into())]);
    }
    let watched = turn_id(&lab.chat("a", "hi").await);
    let seen = until_end(&mut feed, &watched).await;
    assert_eq!(text(&seen), "Hello");
    let of_turn: Vec<Event> = seen
        .into_iter()
        .filter(|event| {
            event.name.starts_with("turn.") || event.name.contains('.') && event.data["turn_id"] == watched.as_str()
        })
        .collect();
    let stream = lab.events(&watched).await;
    assert_eq!(names(&of_turn), names(&stream), "the same events as on the turn's own stream");
    for (fed, streamed) in of_turn.iter().zip(&stream) {
        assert_eq!(fed.data, streamed.data);
    }

    let other = turn_id(&lab.chat("b", "hi").await);
    let seen = until_end(&mut feed, &other).await;
    assert_eq!(names(&seen), ["turn.started", "turn.completed"]);
    lab.client.patch("/sessions/b", &json!({"title": "t"})).await.expect(200);
    lab.client.delete("/sessions/b").await.expect(204);
    lab.client.post("/sessions/b/restore", &json!({})).await.expect(200);
    let forked = lab.client.post("/sessions/b/fork", &json!({"turn_id": other})).await.expect(201);
    let expected = [
        ("session.updated", "b"),
        ("session.deleted", "b"),
        ("session.created", "b"),
        ("session.created", forked["id"].as_str().unwrap()),
    ];
    assert_eq!(told(&feed.take(4).await), expected.map(|(name, session)| (name.into(), session.into())));
}

#[tokio::test]
async fn the_queues_of_sessions_are_told() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("ok").before_head(Step::gate("go")));
    lab.session("s").await;
    let mut feed = lab.client.follow("/events").await;
    lab.send("s", "one").await;
    let two = lab.send("s", "two").await;
    let three = lab.send("s", "three").await;
    lab.client.patch(&format!("/turns/{three}"), &json!({"position": 0})).await.expect(200);
    lab.client.post(&format!("/turns/{two}/cancel"), &json!({})).await.expect(200);
    lab.upstream.open("go");
    let seen = until_end(&mut feed, &three).await;
    let names: Vec<&str> = names(&seen);
    assert_eq!(names.iter().filter(|name| **name == "turn.queued").count(), 2);
    assert!(names.iter().filter(|name| **name == "queue.changed").count() >= 4, "{names:?}");
    assert!(names.contains(&"turn.cancelled"));
}

#[tokio::test]
async fn a_session_that_comes_with_its_first_message_is_told_before_its_turn() {
    let lab = Lab::start().await;
    let mut feed = lab.client.follow("/events").await;
    let turn = turn_id(&lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200));
    let seen = until_end(&mut feed, &turn).await;
    assert_eq!(seen[0].name, "session.created", "{:?}", names(&seen));
}

#[tokio::test]
async fn the_cursor_of_a_session_goes_on_without_a_gap() {
    let lab = Lab::start().await;
    let pieces: Vec<String> = (0..8).map(|n| format!("piece{n} ")).collect();
    let script = (1..pieces.len()).fold(Script::deltas(&pieces), |script, at| script.at(at, Step::gate("next")));
    lab.upstream.respond(move |_| script.clone());
    lab.session("s").await;
    let turn = lab.send("s", "hi").await;
    for said in 1..pieces.len() {
        lab.upstream.wait_at_gate("next", 1).await;
        let so_far = pieces[..said].concat();
        // What the upstream has sent, the server may still be about to read.
        let session = crate::support::eventually("the text so far", async || {
            let session = lab.client.get("/sessions/s").await.expect(200);
            (session["active_turn"]["text"] == so_far.as_str()).then_some(session)
        })
        .await;
        assert_eq!(session["active_turn"]["turn_id"], turn.as_str());
        assert_eq!(session["running"], turn.as_str());
        let (cursor, last) = (&session["cursor"], &session["active_turn"]["last_event_id"]);
        let mut feed = lab.client.follow(&format!("/events?watch=s&after={}", cursor.as_str().unwrap())).await;
        let mut stream = lab.client.follow(&format!("/turns/{turn}/events?after={}", last.as_str().unwrap())).await;
        lab.upstream.let_through("next", 1);
        for next in [feed.next().await.unwrap(), stream.next().await.unwrap()] {
            assert_eq!(next.name, "message.delta");
            assert_eq!(next.data["text"], pieces[said].as_str());
            assert_eq!(next.data["offset"], so_far.chars().count());
        }
    }
    assert_eq!(lab.ended(&turn).await["message"]["content"], pieces.concat());
    let ended = lab.client.get("/sessions/s").await.expect(200);
    assert_eq!((&ended["active_turn"], &ended["running"]), (&Value::Null, &Value::Null));
    assert_eq!(ended["messages"][1]["content"], pieces.concat());
}

#[tokio::test]
async fn a_follower_that_comes_back_misses_nothing() {
    let lab = Lab::start().await;
    lab.session("s").await;
    let mut feed = lab.client.follow("/events?watch=s").await;
    let turn = turn_id(&lab.chat("s", "hi").await);
    let seen = until_end(&mut feed, &turn).await;
    for (at, event) in seen.iter().enumerate() {
        let mut again = lab.client.with("last-event-id", &event.id).follow("/events?watch=s").await;
        let rest = again.take(seen.len() - at - 1).await;
        assert_eq!(crate::support::bytes(&rest), crate::support::bytes(&seen[at + 1..]));
    }
}

#[tokio::test]
async fn a_cursor_that_is_unknown_is_answered_by_a_reset() {
    let mut lab = Lab::start().await;
    lab.session("s").await;
    let cursor = lab.client.get("/sessions/s").await.expect(200)["cursor"].as_str().unwrap().to_owned();
    lab.crash().await;
    for unknown in [cursor.as_str(), "nonsense", "1.1", "%E4%BD%A0"] {
        let mut feed = lab.client.follow(&format!("/events?after={unknown}")).await;
        let reset = feed.next().await.unwrap();
        assert_eq!(reset.name, "reset", "{unknown}");
        assert_eq!(reset.data["cursor"], reset.id.as_str());
        lab.client.patch("/sessions/s", &json!({"title": "t"})).await.expect(200);
        assert_eq!(feed.next().await.unwrap().name, "session.updated");
    }
}

#[tokio::test]
async fn a_session_shows_reasoning_and_tool_calls_so_far() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| {
        Script::text("").reasoning("hm").tool_call_split("c1", "look", r#"{"q": 1}"#, &[5]).at(2, Step::gate("half"))
    });
    lab.session("s").await;
    let turn = lab.send("s", "hi").await;
    lab.upstream.wait_at_gate("half", 1).await;
    let active = crate::support::eventually("a tool call so far", async || {
        let active = lab.client.get("/sessions/s").await.expect(200)["active_turn"].clone();
        (active["tool_calls"][0]["id"] == "c1").then_some(active)
    })
    .await;
    assert_eq!(active["reasoning"], "hm");
    assert_eq!(active["tool_calls"][0]["name"], "look");
    lab.upstream.open("half");
    lab.ended(&turn).await;
}
