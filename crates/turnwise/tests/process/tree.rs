//! A session is a tree: retried, continued, edited, regenerated, forked, its head moved.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::{Lab, said, turn_id};

/// A session `s` of three exchanges; gives their turns. Every answer has a number of its own.
async fn story() -> (Lab, [String; 3]) {
    let lab = Lab::start().await;
    let answers = AtomicU32::new(0);
    lab.upstream.respond(move |_| Script::text(&format!("a{}", answers.fetch_add(1, Ordering::SeqCst) + 1)));
    lab.session("s").await;
    let mut turns = Vec::new();
    for message in ["u1", "u2", "u3"] {
        turns.push(turn_id(&lab.chat("s", message).await));
    }
    (lab, turns.try_into().unwrap())
}

async fn words(lab: &Lab, path: &str) -> Vec<String> {
    let list = lab.client.get(path).await.expect(200);
    said(&list["data"]).into_iter().map(|(_, text)| text).collect()
}

fn last_prompt(lab: &Lab) -> Vec<String> {
    lab.prompts().pop().unwrap().into_iter().map(|(_, text)| text).collect()
}

#[tokio::test]
async fn regenerate_is_a_sibling_with_the_same_message() {
    let (lab, [_, second, third]) = story().await;
    let again = lab.client.post(&format!("/turns/{second}/retry"), &json!({})).await.expect(200);
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2"]);
    assert_eq!(words(&lab, "/sessions/s/messages").await, ["u1", "a1", "u2", "a4"]);
    let other = format!("/sessions/s/messages?branch={third}");
    assert_eq!(words(&lab, &other).await, ["u1", "a1", "u2", "a2", "u3", "a3"]);

    let list = lab.client.get("/sessions/s/messages").await.expect(200);
    let of_second = list["data"].as_array().unwrap().iter().find(|message| message["content"] == "a4").unwrap();
    assert_eq!(of_second["siblings"], json!([second, turn_id(&again)]));
    assert_eq!(of_second["kind"], "retry");
    assert!(lab.prompt_is_exact(&turn_id(&again)).await);
    assert!(lab.prompt_is_exact(&third).await);
}

#[tokio::test]
async fn an_edit_is_another_message_with_the_same_parent() {
    let (lab, [first, second, _]) = story().await;
    let edit = json!({"session_id": "s", "message": "u2, better", "parent": first});
    let edited = turn_id(&lab.client.post("/chat", &edit).await.expect(200));
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2, better"]);
    assert_eq!(words(&lab, "/sessions/s/messages").await, ["u1", "a1", "u2, better", "a4"]);

    // Of the first message: the parent is nothing.
    let anew = json!({"session_id": "s", "message": "u1, better", "parent": null});
    lab.client.post("/chat", &anew).await.expect(200);
    assert_eq!(last_prompt(&lab), ["u1, better"]);
    assert_eq!(words(&lab, "/sessions/s/messages").await, ["u1, better", "a5"]);

    // Back to the branch of before: the next send goes on there.
    let back = lab.client.patch("/sessions/s", &json!({"head": edited})).await.expect(200);
    assert_eq!(back["head"], edited.as_str());
    lab.chat("s", "u3").await;
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2, better", "a4", "u3"]);
    let turns = lab.client.get("/sessions/s/turns").await.expect(200);
    let parents: Vec<&Value> = turns["data"].as_array().unwrap().iter().map(|turn| &turn["parent"]).collect();
    let [first, second, edited] = [first, second, edited].map(Value::from);
    assert_eq!(parents, [&Value::Null, &first, &second, &first, &Value::Null, &edited]);
}

#[tokio::test]
async fn the_head_moves_only_while_nothing_runs_and_only_to_turns_of_the_session() {
    let (lab, [first, ..]) = story().await;
    lab.session("other").await;
    let elsewhere = turn_id(&lab.chat("other", "hi").await);
    for unknown in [elsewhere.as_str(), "no-such-turn"] {
        lab.client.patch("/sessions/s", &json!({"head": unknown})).await.error(404, "turn_not_found");
        let body = json!({"session_id": "s", "message": "hi", "parent": unknown});
        lab.client.post("/chat", &body).await.error(404, "turn_not_found");
    }
    lab.upstream.respond(|_| Script::text("slow").before_head(Step::gate("go")));
    let running = lab.send("s", "u4").await;
    let busy = lab.client.patch("/sessions/s", &json!({"head": first})).await.error(409, "session_busy");
    assert_eq!(busy["turn_id"], running.as_str());
    lab.upstream.open("go");
    lab.ended(&running).await;
    lab.client.patch("/sessions/s", &json!({"head": null})).await.expect(200);
    assert_eq!(words(&lab, "/sessions/s/messages").await, Vec::<String>::new());
    lab.chat("s", "anew").await;
    assert_eq!(last_prompt(&lab), ["anew"]);
}

#[tokio::test]
async fn a_failed_turn_is_kept_shown_not_sent_and_can_be_retried() {
    let (lab, _) = story().await;
    lab.upstream.respond(|_| Script::error(400, "bad", "no"));
    let failed = lab.client.post("/chat", &json!({"session_id": "s", "message": "u4"})).await;
    failed.error(502, "upstream_rejected");
    let failed = failed.json();
    assert_eq!((&failed["session_id"], &failed["status"]), (&json!("s"), &json!("failed")));
    let failed = turn_id(&failed);
    assert_eq!(words(&lab, "/sessions/s/messages").await.last().unwrap(), "u4");

    lab.upstream.respond(|_| Script::text("now"));
    lab.chat("s", "u5").await;
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2", "a2", "u3", "a3", "u5"], "the failed one is not sent");
    let retried = lab.client.post(&format!("/turns/{failed}/retry"), &json!({})).await.expect(200);
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2", "a2", "u3", "a3", "u4"]);
    for turn in [failed, turn_id(&retried)] {
        assert!(lab.prompt_is_exact(&turn).await);
    }
}

#[tokio::test]
async fn an_answer_that_broke_off_is_continued_where_it_stopped() {
    let lab = Lab::start().await;
    lab.upstream.respond_each([Script::text("one two").finish("length"), Script::text(" three")]);
    lab.session("s").await;
    let broken = lab.chat("s", "count").await;
    assert_eq!((&broken["status"], &broken["reason"]), (&json!("incomplete"), &json!("length")));
    let path = format!("/turns/{}/continue", turn_id(&broken));
    let continued = lab.client.post(&path, &json!({})).await.expect(200);
    assert_eq!(continued["message"]["content"], " three");
    let prompt = last_prompt(&lab);
    assert_eq!(prompt[..2], ["count", "one two"]);
    assert_eq!(prompt.len(), 3, "and the request to go on");
    assert!(lab.prompt_is_exact(&turn_id(&continued)).await);
    // A whole answer is not continued.
    let path = format!("/turns/{}/continue", turn_id(&continued));
    lab.client.post(&path, &json!({})).await.error(409, "turn_not_incomplete");
}

#[tokio::test]
async fn a_retry_can_use_another_model_and_stream() {
    let (lab, [.., third]) = story().await;
    let path = format!("/turns/{third}/retry");
    let events = lab.client.post_stream(&path, &json!({"model": "model-large", "stream": true})).await.rest().await;
    assert_eq!(events[0].data["model"], "model-large");
    assert_eq!(lab.upstream.requests().last().unwrap().request.model(), "model-large");
    lab.client.post(&path, &json!({"config_id": "no-such"})).await.error(404, "config_not_found");
}

#[tokio::test]
async fn a_turn_that_has_not_ended_is_neither_retried_nor_continued_nor_forked() {
    let (lab, _) = story().await;
    lab.upstream.respond(|_| Script::text("slow").before_head(Step::gate("go")));
    let running = lab.send("s", "u4").await;
    let queued = lab.send("s", "u5").await;
    for turn in [&running, &queued] {
        lab.client.post(&format!("/turns/{turn}/retry"), &json!({})).await.error(409, "turn_not_ended");
        lab.client.post(&format!("/turns/{turn}/continue"), &json!({})).await.error(409, "turn_not_ended");
        lab.client.post("/sessions/s/fork", &json!({"turn_id": turn})).await.error(409, "turn_not_ended");
    }
    lab.client.get(&format!("/turns/{queued}/prompt")).await.error(409, "turn_not_started");
    let on_queued = json!({"session_id": "s", "message": "hi", "parent": queued});
    lab.client.post("/chat", &on_queued).await.error(409, "parent_not_started");
    lab.upstream.open("go");
    lab.ended(&queued).await;
}

#[tokio::test]
async fn a_fork_begins_with_the_path_and_goes_its_own_way() {
    let (lab, [_, second, _]) = story().await;
    let forked = lab.client.post("/sessions/s/fork", &json!({"turn_id": second})).await.expect(201);
    let fork = forked["id"].as_str().unwrap().to_owned();
    assert_eq!(words(&lab, &format!("/sessions/{fork}/messages")).await, ["u1", "a1", "u2", "a2"]);
    let answer = lab.chat(&fork, "elsewhere").await;
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2", "a2", "elsewhere"]);
    assert!(lab.prompt_is_exact(&turn_id(&answer)).await);
    lab.chat("s", "u4").await;
    assert_eq!(last_prompt(&lab), ["u1", "a1", "u2", "a2", "u3", "a3", "u4"]);

    // A fork outlives what it came from.
    lab.client.delete("/sessions/s").await.expect(204);
    assert_eq!(words(&lab, &format!("/sessions/{fork}/messages")).await.len(), 6);
    for message in lab.client.get(&format!("/sessions/{fork}/messages")).await.expect(200)["data"].as_array().unwrap() {
        assert_eq!(message["session_id"], fork.as_str());
        let turn = message["turn_id"].as_str().unwrap();
        assert_eq!(lab.turn(turn).await["session_id"], fork.as_str());
        assert_eq!(lab.events(turn).await.last().unwrap().data["session_id"], fork.as_str());
    }
}

#[tokio::test]
async fn lists_are_paged_forwards_and_backwards_without_a_gap() {
    let (lab, _) = story().await;
    let page = async |query: &str| lab.client.get(&format!("/sessions/s/messages?limit=2{query}")).await.expect(200);
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let list = page(&after).await;
        all.extend(said(&list["data"]).into_iter().map(|(_, text)| text));
        let Some(next) = list["next"].as_str() else {
            assert_eq!(list["has_more"], false);
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(all, ["u1", "a1", "u2", "a2", "u3", "a3"]);
    let newest = page("&order=desc").await;
    assert_eq!(said(&newest["data"])[0].1, "a3");
    let oldest_shown = newest["data"][1]["id"].as_str().unwrap();
    let before = page(&format!("&before={oldest_shown}")).await;
    let shown: Vec<String> = said(&before["data"]).into_iter().map(|(_, text)| text).collect();
    assert_eq!(shown, ["u2", "a2"]);

    for n in 0..5 {
        lab.session(&format!("more-{n}")).await;
    }
    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let list = lab.client.get(&format!("/sessions?limit=2{after}")).await.expect(200);
        ids.extend(list["data"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap().to_owned()));
        let Some(next) = list["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(ids, ["more-4", "more-3", "more-2", "more-1", "more-0", "s"], "newest activity first");
}

#[tokio::test]
async fn a_session_is_titled_by_its_first_message_exported_and_changed() {
    let (lab, _) = story().await;
    let session = lab.client.get("/sessions/s").await.expect(200);
    assert_eq!(session["title"], "u1");
    assert_eq!(session["messages"].as_array().unwrap().len(), 6);
    let change = json!({"title": "标题", "pinned": true, "metadata": {"k": [1]}, "on_failure": "pause"});
    let changed = lab.client.patch("/sessions/s", &change).await.expect(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(changed[field], *value);
    }
    assert_eq!(lab.client.get("/sessions?pinned=true").await.expect(200)["data"][0]["id"], "s");
    assert_eq!(lab.client.get("/sessions?q=%E6%A0%87").await.expect(200)["data"][0]["id"], "s");
    assert_eq!(lab.client.get("/sessions?q=%25").await.expect(200)["data"], json!([]));

    let export = lab.client.get("/sessions/s/export").await;
    assert!(export.headers["content-disposition"].to_str().unwrap().contains("s.json"));
    let export = export.expect(200);
    assert_eq!(export["session"]["title"], "标题");
    assert_eq!(said(&export["messages"]).len(), 6);
    let markdown = lab.client.get("/sessions/s/export?format=markdown").await;
    assert!(markdown.text().starts_with("# 标题"), "{}", markdown.text());
    assert!(markdown.text().contains("a3"));
}

#[tokio::test]
async fn what_a_request_asks_for_reaches_the_upstream() {
    let lab = Lab::start().await;
    let body = json!({
        "message": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://x.example/i.png"}}],
        "model": "model-large", "system": "be brief", "temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "stop": ["x"],
        "seed": 3, "response_format": {"type": "json_object"}, "metadata": {"mine": 1}, "extra": {"logit_bias": {"5": 1}},
    });
    let answer = lab.client.post("/chat", &body).await.expect(200);
    assert_eq!(answer["metadata"], json!({"mine": 1}));
    let sent = lab.upstream.requests()[0].request.json().clone();
    for field in ["temperature", "top_p", "max_tokens", "seed", "response_format", "model", "stop"] {
        assert_eq!(sent[field], body[field], "{field} in {sent}");
    }
    assert_eq!(sent["logit_bias"], json!({"5": 1}));
    assert_eq!(sent["messages"][0], json!({"role": "system", "content": "be brief"}));
    assert_eq!(sent["messages"][1]["content"], body["message"]);
    assert!(sent.get("metadata").is_none());
    let prompt = lab.client.get(&format!("/turns/{}/prompt", turn_id(&answer))).await.expect(200);
    assert_eq!(prompt["body"], sent);
    assert_eq!(prompt["exact"], true);
}

#[tokio::test]
async fn a_prompt_stays_exact_when_its_config_has_changed_since() {
    let (lab, turns) = story().await;
    let change = json!({"model": "model-large", "system": "anew", "params": {"x": 1}, "window": {"messages": 2}});
    assert_eq!(lab.client.patch("/configs/up", &change).await.expect(200)["revision"], 2);
    let fourth = turn_id(&lab.chat("s", "u4").await);
    assert_eq!(lab.upstream.requests().last().unwrap().request.json()["x"], 1);
    assert_eq!(last_prompt(&lab).first().unwrap(), "anew");
    for turn in turns.iter().chain([&fourth]) {
        assert!(lab.prompt_is_exact(turn).await);
    }
    assert_eq!(lab.turn(&fourth).await["config_revision"], 2);
}

#[tokio::test]
async fn of_a_turn_that_ended_before_its_call_nothing_is_said_to_have_been_sent() {
    let lab = Lab::start().await;
    lab.config("one", json!({"max_concurrency": 1})).await;
    lab.upstream.respond(|_| Script::raw().then(Step::Hang));
    let send = async |message: &str| {
        let body = json!({"message": message, "config_id": "one", "wait": false});
        turn_id(&lab.client.post("/chat", &body).await.expect(202))
    };
    let called = send("the one call that may be").await;
    lab.upstream.wait_for_requests(1).await;
    let waiting = send("waits for its place").await;
    for turn in [&waiting, &called] {
        lab.client.post(&format!("/turns/{turn}/cancel"), &json!({})).await.expect(200);
    }
    let prompt = lab.client.get(&format!("/turns/{waiting}/prompt")).await.expect(200);
    assert_eq!((&prompt["sha256"], &prompt["exact"]), (&Value::Null, &Value::Null));
    assert_eq!(prompt["body"]["messages"][0]["content"], "waits for its place");
    assert!(lab.prompt_is_exact(&called).await);
    assert_eq!(lab.upstream.received(), 1);
}
