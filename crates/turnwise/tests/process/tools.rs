//! Tool calls and their results, through `/chat`.

use serde_json::{Value, json};
use upstream::{Request, Script};

use crate::support::{Lab, soon, turn_id};

/// Calls two tools when asked to, and says something when it has their results.
fn script(request: &Request) -> Script {
    let last = request.json()["messages"].as_array().unwrap().last().unwrap().clone();
    match (last["role"].as_str().unwrap(), last["content"].as_str().unwrap_or_default()) {
        ("tool", result) => Script::text(&format!("the last tool said {result}")),
        (_, "use tools") => Script::calling("call_1", "look", r#"{"where": "\u4f60 there"}"#).tool_call(
            "call_2",
            "count",
            r#"{"to": 3}"#,
        ),
        (_, said) => Script::text(&format!("answer to {said}")),
    }
}

async fn lab(arguments: &[&str]) -> Lab {
    let lab = Lab::with(arguments).await;
    lab.upstream.respond(script);
    lab.session("s").await;
    lab
}

fn results(of: &[(&str, &str)]) -> Value {
    let results: Vec<Value> = of.iter().map(|(id, content)| json!({"tool_call_id": id, "content": content})).collect();
    json!({"session_id": "s", "tool_results": results})
}

/// What chat-completions servers insist on: every call with its result right behind it, no result without its call.
fn every_history_is_valid(lab: &Lab) {
    for exchange in lab.upstream.requests() {
        let messages = exchange.request.json()["messages"].as_array().unwrap().clone();
        let mut open: Vec<Value> = Vec::new();
        for message in &messages {
            if message["role"] == "tool" {
                let id = &message["tool_call_id"];
                let at = open.iter().position(|open| open == id);
                open.remove(at.unwrap_or_else(|| panic!("a result without its call: {messages:#?}")));
                continue;
            }
            assert!(open.is_empty(), "a call without its result: {messages:#?}");
            if let Some(calls) = message["tool_calls"].as_array() {
                open = calls.iter().map(|call| call["id"].clone()).collect();
            }
        }
        assert!(open.is_empty(), "a call without its result: {messages:#?}");
    }
}

#[tokio::test]
async fn tool_calls_are_streamed_and_their_results_overtake_a_queued_message() {
    let lab = lab(&[]).await;
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]);
    let body = json!({"session_id": "s", "message": "use tools", "stream": true, "tools": tools});
    let events = lab.client.post_stream("/chat", &body).await.rest().await;
    let deltas: Vec<&Value> = events.iter().filter(|e| e.name == "tool_call.delta").map(|e| &e.data).collect();
    for (index, id, name, arguments) in
        [(0, "call_1", "look", r#"{"where": "\u4f60 there"}"#), (1, "call_2", "count", r#"{"to": 3}"#)]
    {
        let of_call: Vec<&&Value> = deltas.iter().filter(|delta| delta["index"] == index).collect();
        assert_eq!((&of_call[0]["id"], &of_call[0]["name"]), (&json!(id), &json!(name)));
        let joined: String = of_call.iter().map(|delta| delta["arguments"].as_str().unwrap()).collect();
        assert_eq!(joined, arguments);
    }
    let ended = &events.last().unwrap().data;
    assert_eq!((&ended["status"], &ended["finish"]), (&json!("completed"), &json!("tool_calls")));
    assert_eq!(ended["message"]["tool_calls"][0]["id"], "call_1");
    assert_eq!(lab.upstream.requests()[0].request.json()["tools"], tools);

    // The lane is kept free for the results: what comes meanwhile waits, and runs behind them.
    let queued = lab.send("s", "meanwhile").await;
    let again = lab.send("s", "and then").await;
    assert_eq!(lab.turn(&queued).await["status"], "queued");
    let answer = lab.client.post("/chat", &results(&[("call_1", "one"), ("call_2", "two")])).await.expect(200);
    assert_eq!(answer["message"]["content"], "the last tool said two");
    assert_eq!(lab.ended(&queued).await["message"]["content"], "answer to meanwhile");
    assert_eq!(lab.ended(&again).await["message"]["content"], "answer to and then");

    every_history_is_valid(&lab);
    let roles: Vec<String> = lab.messages("s").await.into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "assistant", "user", "assistant", "user", "assistant"]);
    for turn in [turn_id(ended), turn_id(&answer), queued, again] {
        assert!(lab.prompt_is_exact(&turn).await);
    }
}

#[tokio::test]
async fn when_no_results_come_the_queue_goes_on_and_they_are_superseded() {
    let lab = lab(&["--tool-wait-ms", "300"]).await;
    let calling = lab.chat("s", "use tools").await;
    let queued = lab.send("s", "meanwhile").await;
    assert_eq!(lab.ended(&queued).await["message"]["content"], "answer to meanwhile");
    every_history_is_valid(&lab);

    let late = results(&[("call_1", "one"), ("call_2", "two")]);
    lab.client.post("/chat", &late).await.error(409, "tool_calls_superseded");
    // As a branch they are welcome.
    let mut branch = late;
    branch["parent"] = calling["turn_id"].clone();
    let answer = lab.client.post("/chat", &branch).await.expect(200);
    assert_eq!(answer["message"]["content"], "the last tool said two");
    every_history_is_valid(&lab);
    let roles: Vec<String> = lab.messages("s").await.into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "assistant"]);
}

#[tokio::test]
async fn without_anything_queued_results_are_welcome_however_late() {
    let lab = lab(&["--tool-wait-ms", "1"]).await;
    lab.chat("s", "use tools").await;
    let answer = lab.client.post("/chat", &results(&[("call_2", "two")])).await.expect(200);
    assert_eq!(answer["message"]["content"], "the last tool said two");
    every_history_is_valid(&lab);
    lab.chat("s", "go on").await;
    every_history_is_valid(&lab);
}

#[tokio::test]
async fn results_that_answer_nothing_are_refused() {
    let lab = lab(&[]).await;
    lab.client.post("/chat", &results(&[("call_1", "x")])).await.error(400, "no_such_tool_call");
    lab.chat("s", "hi").await;
    lab.client.post("/chat", &results(&[("call_1", "x")])).await.error(400, "no_such_tool_call");
    lab.chat("s", "use tools").await;
    lab.client.post("/chat", &results(&[("call_1", "x"), ("call_9", "y")])).await.error(400, "no_such_tool_call");
    lab.client.post("/chat", &results(&[("call_1", "x"), ("call_1", "y")])).await.error(400, "invalid_tool_results");
    lab.client.post("/chat", &results(&[])).await.error(400, "invalid_tool_results");
    let mut both = results(&[("call_1", "x")]);
    both["message"] = "and this".into();
    lab.client.post("/chat", &both).await.error(400, "message_and_tool_results");
    assert_eq!(lab.upstream.received(), 2);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns"), 2);
}

#[tokio::test]
async fn a_lane_that_awaits_results_is_busy_to_those_who_will_not_wait() {
    let lab = lab(&[]).await;
    let calling = turn_id(&lab.chat("s", "use tools").await);
    let reject = json!({"session_id": "s", "message": "hi", "if_busy": "reject"});
    assert_eq!(lab.client.post("/chat", &reject).await.error(409, "session_busy")["turn_id"], calling.as_str());
    let interrupt = json!({"session_id": "s", "message": "never mind", "if_busy": "interrupt"});
    let answer = lab.client.post("/chat", &interrupt).await.expect(200);
    assert_eq!(answer["message"]["content"], "answer to never mind");
    lab.client.post("/chat", &results(&[("call_1", "x")])).await.error(409, "tool_calls_superseded");
    every_history_is_valid(&lab);
}

#[tokio::test]
async fn a_lane_still_awaits_its_results_after_a_crash() {
    let mut lab = lab(&[]).await;
    lab.chat("s", "use tools").await;
    let queued = lab.send("s", "meanwhile").await;
    lab.crash().await;
    assert_eq!(lab.turn(&queued).await["status"], "queued");
    let answer = lab.client.post("/chat", &results(&[("call_1", "one"), ("call_2", "two")])).await.expect(200);
    assert_eq!(answer["message"]["content"], "the last tool said two");
    assert_eq!(lab.ended(&queued).await["status"], "completed");
    every_history_is_valid(&lab);
}

#[tokio::test]
async fn a_wait_for_results_ends_after_a_crash_too() {
    let mut lab = lab(&["--tool-wait-ms", "400"]).await;
    lab.chat("s", "use tools").await;
    let queued = lab.send("s", "meanwhile").await;
    lab.crash().await;
    assert_eq!(lab.ended(&queued).await["message"]["content"], "answer to meanwhile");
    every_history_is_valid(&lab);
}

#[tokio::test]
async fn results_sent_twice_under_one_key_are_one_turn() {
    let lab = lab(&[]).await;
    lab.chat("s", "use tools").await;
    let client = lab.client.once("results-1");
    let body = results(&[("call_1", "one"), ("call_2", "two")]);
    let first = client.post("/chat", &body).await.expect(200);
    assert_eq!(client.post("/chat", &body).await.expect(200), first);
    assert_eq!(lab.upstream.received(), 2);
}

#[tokio::test]
async fn moving_the_head_away_from_tool_calls_lets_the_queue_go_on_at_once() {
    // Longer than the test has patience.
    let lab = lab(&["--tool-wait-ms", "600000"]).await;
    let before = turn_id(&lab.chat("s", "hello").await);
    lab.chat("s", "use tools").await;
    let queued = lab.send("s", "meanwhile").await;
    assert_eq!(lab.turn(&queued).await["status"], "queued");
    lab.client.patch("/sessions/s", &json!({"title": "nothing to do with it"})).await.expect(200);
    assert_eq!(lab.turn(&queued).await["status"], "queued");
    lab.client.patch("/sessions/s", &json!({"head": before})).await.expect(200);
    let ended = soon("the queued turn to run", lab.ended(&queued)).await;
    assert_eq!(ended["message"]["content"], "answer to meanwhile");
    assert_eq!(lab.turn(&queued).await["parent"], before.as_str());
    every_history_is_valid(&lab);
}
