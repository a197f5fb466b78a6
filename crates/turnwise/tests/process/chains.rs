//! Responses that continue one another: a tree whose branches grow at the same time.

use serde_json::{Value, json};
use upstream::{Request, Script, Step};

use crate::support::{Lab, Setup, eventually, turn_id};

/// Asks for a response in the background; gives it as it is then.
async fn respond(lab: &Lab, input: impl Into<Value>, more: Value) -> Value {
    let mut body = json!({"model": "up", "input": input.into(), "background": true});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lab.client.post("/v1/responses", &body).await.expect(200)
}

async fn after(lab: &Lab, previous: &str, input: &str) -> String {
    id(&respond(lab, input, json!({"previous_response_id": previous})).await)
}

fn id(response: &Value) -> String {
    response["id"].as_str().unwrap().to_owned()
}

fn turn(response: &str) -> &str {
    response.strip_prefix("resp_").unwrap()
}

/// The response, once it has ended.
async fn ended(lab: &Lab, response: &str) -> Value {
    lab.ended(turn(response)).await;
    lab.client.get(&format!("/v1/responses/{response}")).await.expect(200)
}

async fn status(lab: &Lab, response: &str) -> String {
    let response = lab.client.get(&format!("/v1/responses/{response}")).await.expect(200);
    response["status"].as_str().unwrap().to_owned()
}

fn said(response: &Value) -> &str {
    response["output"][0]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"))
}

/// The texts that were sent with the request whose last message is `last`.
fn sent(lab: &Lab, last: &str) -> Vec<String> {
    let texts = |prompt: Vec<(String, String)>| prompt.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let mut prompts = lab.prompts().into_iter().map(texts);
    prompts.find(|texts| texts.last().is_some_and(|text| text == last)).unwrap_or_else(|| panic!("no prompt {last}"))
}

/// `root` is answered at once, everything else in two halves with a gate of its own between them.
fn in_halves(request: &Request) -> Script {
    match request.last_user_message().as_str() {
        "root" => Script::text("answer to root"),
        said => Script::deltas(["half ", &format!("of {said}")]).at(1, Step::gate(said)),
    }
}

#[tokio::test]
async fn children_of_one_response_are_in_flight_together_and_a_grandchild_waits_for_its_parent() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "root" => Script::text("answer to root"),
        "grandchild" => Script::text("answer to grandchild"),
        said => Script::text(&format!("answer to {said}")).before_head(Step::gate("together")),
    });
    let root = id(&respond(&lab, "root", json!({})).await);
    ended(&lab, &root).await;
    let children = [after(&lab, &root, "one").await, after(&lab, &root, "two").await];
    // Both stand there at this moment: neither waits for the other.
    lab.upstream.wait_at_gate("together", 2).await;
    for (child, text) in children.iter().zip(["one", "two"]) {
        assert_eq!(status(&lab, child).await, "in_progress");
        assert_eq!(sent(&lab, text), ["root", "answer to root", text]);
    }
    let grandchild = respond(&lab, "grandchild", json!({"previous_response_id": children[0]})).await;
    assert_eq!((&grandchild["status"], &grandchild["previous_response_id"]), (&json!("queued"), &json!(children[0])));
    let unborn = json!({"model": "up", "input": "x", "previous_response_id": grandchild["id"]});
    lab.client.post("/v1/responses", &unborn).await.error(400, "previous_response_not_started");

    // The session shows one of them with its path, and all that waits.
    let session = grandchild["conversation"]["id"].as_str().unwrap().strip_prefix("conv_").unwrap();
    let shown = lab.client.get(&format!("/sessions/{session}")).await.expect(200);
    assert_eq!(
        (&shown["running"], turn_id(&shown["active_turn"])),
        (&json!(turn(&children[1])), turn(&children[1]).into())
    );
    let path: Vec<&Value> = shown["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(path, ["root", "answer to root", "two"]);
    assert_eq!((&shown["queued"], &shown["queue"][0]["turn_id"]), (&json!(1), &json!(turn(&id(&grandchild)))));
    assert_eq!(lab.upstream.received(), 3, "the grandchild has nothing to go on from yet");

    lab.upstream.open("together");
    let grandchild = id(&grandchild);
    assert_eq!(said(&ended(&lab, &grandchild).await), "answer to grandchild");
    assert_eq!(sent(&lab, "grandchild"), ["root", "answer to root", "one", "answer to one", "grandchild"]);
    for (child, text) in children.iter().zip(["one", "two"]) {
        assert_eq!(said(&ended(&lab, child).await), format!("answer to {text}"));
    }
    let stream = lab.client.get(&format!("/v1/responses/{grandchild}?stream=true")).await.text();
    let names: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("event: response.")).take(3).collect();
    assert_eq!(names, ["created", "queued", "in_progress"]);
    for response in [&root, &grandchild] {
        assert!(lab.prompt_is_exact(turn(response)).await);
    }
}

#[tokio::test]
async fn a_cancelled_child_leaves_the_others_alone_and_one_that_waits_never_runs() {
    let lab = Lab::start().await;
    lab.upstream.respond(in_halves);
    let root = id(&respond(&lab, "root", json!({})).await);
    ended(&lab, &root).await;
    let (one, two) = (after(&lab, &root, "one").await, after(&lab, &root, "two").await);
    let waiting = after(&lab, &one, "waiting").await;
    let other = after(&lab, &one, "other").await;
    for gate in ["one", "two"] {
        lab.upstream.wait_at_gate(gate, 1).await;
    }
    let cancelled = lab.client.post(&format!("/v1/responses/{waiting}/cancel"), &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let cancelled = lab.client.post(&format!("/v1/responses/{one}/cancel"), &json!({})).await.expect(200);
    assert_eq!((&cancelled["status"], said(&cancelled)), (&json!("cancelled"), "half "));
    assert_eq!(status(&lab, &two).await, "in_progress");
    lab.upstream.wait_at_gate("other", 1).await;
    assert_eq!(sent(&lab, "other"), ["root", "answer to root", "one", "half ", "other"]);
    ["two", "other"].iter().for_each(|gate| lab.upstream.open(gate));
    for (response, text) in [(two, "half of two"), (other, "half of other")] {
        assert_eq!(said(&ended(&lab, &response).await), text);
    }
    assert_eq!(lab.upstream.received(), 4);
}

#[tokio::test]
async fn outputs_of_function_calls_start_at_once_beside_a_running_sibling() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| {
        let last = request.json()["messages"].as_array().unwrap().last().unwrap().clone();
        match (last["role"].as_str().unwrap(), last["content"].as_str().unwrap_or_default()) {
            ("tool", result) => Script::text(&format!("it is {result}")),
            (_, "call") => Script::calling("call_1", "look", "{}"),
            (_, _) => Script::text("answer").before_head(Step::gate("sibling")),
        }
    });
    let call = id(&respond(&lab, "call", json!({})).await);
    ended(&lab, &call).await;
    let sibling = after(&lab, &call, "sibling").await;
    lab.upstream.wait_at_gate("sibling", 1).await;
    let output = json!([{"type": "function_call_output", "call_id": "call_1", "output": "42"}]);
    let result = respond(&lab, output, json!({"previous_response_id": call})).await;
    assert_eq!(said(&ended(&lab, &id(&result)).await), "it is 42");
    assert_eq!(status(&lab, &sibling).await, "in_progress");
    lab.upstream.open("sibling");
    ended(&lab, &sibling).await;
}

#[tokio::test]
async fn a_conversation_still_runs_one_response_at_a_time() {
    let lab = Lab::start().await;
    lab.upstream.respond(in_halves);
    let conversation = lab.client.post("/v1/conversations", &json!({})).await.expect(200)["id"].clone();
    let here = json!({"conversation": conversation});
    let root = id(&respond(&lab, "root", here.clone()).await);
    ended(&lab, &root).await;
    // By its name, and by that of a response in it.
    let one = id(&respond(&lab, "one", here).await);
    lab.upstream.wait_at_gate("one", 1).await;
    let two = after(&lab, &root, "two").await;
    assert_eq!(status(&lab, &two).await, "queued");
    lab.upstream.open("one");
    lab.upstream.wait_at_gate("two", 1).await;
    assert_eq!(status(&lab, &one).await, "completed");
    lab.upstream.open("two");
    ended(&lab, &two).await;
    assert_eq!(sent(&lab, "two"), ["root", "answer to root", "two"]);

    // So does a chain for those who name it as a conversation or send on the native API, beside its free responses.
    let chain = respond(&lab, "root", json!({})).await;
    let (first, session) = (id(&chain), chain["conversation"]["id"].clone());
    ended(&lab, &first).await;
    let free = after(&lab, &first, "free").await;
    lab.upstream.wait_at_gate("free", 1).await;
    let named = id(&respond(&lab, "named", json!({"conversation": session})).await);
    lab.upstream.wait_at_gate("named", 1).await;
    let native = lab.send(session.as_str().unwrap().strip_prefix("conv_").unwrap(), "native").await;
    assert_eq!(lab.turn(&native).await["status"], "queued");
    lab.upstream.open("free");
    ended(&lab, &free).await;
    assert_eq!(lab.turn(&native).await["status"], "queued", "its turn comes after the lane's");
    ["named", "native"].iter().for_each(|gate| lab.upstream.open(gate));
    ended(&lab, &named).await;
    assert_eq!(lab.ended(&native).await["status"], "completed");
    assert_eq!(sent(&lab, "native")[..2], ["root", "answer to root"]);
}

#[tokio::test]
async fn a_chain_killed_with_two_responses_running_and_more_waiting_comes_to_an_honest_end() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "silent" => Script::text("at last").before_head(Step::gate("silent")),
        "of talking" | "of silent" => Script::text("done"),
        _ => in_halves(request),
    });
    let root = id(&respond(&lab, "root", json!({})).await);
    ended(&lab, &root).await;
    let (talking, silent) = (after(&lab, &root, "talking").await, after(&lab, &root, "silent").await);
    let of_talking = after(&lab, &talking, "of talking").await;
    let of_silent = after(&lab, &silent, "of silent").await;
    lab.wait_for_segment(turn(&talking)).await;
    lab.upstream.wait_at_gate("silent", 1).await;
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns WHERE status = 'running'"), 2);

    lab.crash().await;
    // What was said of one is its answer; of the other nothing was, and it runs again.
    let broken = ended(&lab, &talking).await;
    assert_eq!((&broken["status"], said(&broken)), (&json!("incomplete"), "half "));
    assert_eq!(broken["incomplete_details"], json!({"reason": "interrupted"}));
    ended(&lab, &of_talking).await;
    assert_eq!(sent(&lab, "of talking"), ["root", "answer to root", "talking", "half ", "of talking"]);
    // Its first call may still stand at the gate.
    lab.upstream.wait_for_requests(5).await;
    assert_eq!(status(&lab, &of_silent).await, "queued");
    lab.upstream.open("silent");
    let again = ended(&lab, &silent).await;
    assert_eq!((&again["status"], said(&again)), (&json!("completed"), "at last"));
    assert_eq!(said(&ended(&lab, &of_silent).await), "done");
    assert_eq!(sent(&lab, "of silent"), ["root", "answer to root", "silent", "at last", "of silent"]);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns WHERE status IN ('running', 'queued')"), 0);
}

/// A chain where a parent has said half of its answer and two children wait for the whole.
async fn waiting_children(lab: &mut Lab, faults: Option<&str>) -> (String, [String; 2]) {
    lab.upstream.respond(in_halves);
    let root = id(&respond(lab, "root", json!({})).await);
    ended(lab, &root).await;
    if let Some(faults) = faults {
        lab.restart_with_faults(faults).await;
    }
    let parent = after(lab, &root, "parent").await;
    let children = [after(lab, &parent, "one").await, after(lab, &parent, "two").await];
    lab.wait_for_segment(turn(&parent)).await;
    (parent, children)
}

/// Starts the server again; gives how the parent ended, of which each child carries on.
async fn all_end_after_a_restart(lab: &mut Lab, parent: &str, children: &[String; 2]) -> Value {
    ["one", "two"].iter().for_each(|gate| lab.upstream.open(gate));
    lab.restart().await;
    let parent = ended(lab, parent).await;
    for (child, text) in children.iter().zip(["one", "two"]) {
        let child = ended(lab, child).await;
        assert_eq!((&child["status"], said(&child)), (&json!("completed"), &*format!("half of {text}")));
        assert_eq!(sent(lab, text), ["root", "answer to root", "parent", said(&parent), text]);
    }
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns WHERE status IN ('running', 'queued')"), 0);
    parent["status"].clone()
}

#[tokio::test]
async fn children_that_wait_survive_a_kill_around_the_end_of_their_parent() {
    for (moment, status) in [("before_commit", "incomplete"), ("after_commit", "completed")] {
        let mut lab = Lab::start().await;
        let (parent, children) = waiting_children(&mut lab, Some(&format!("finish.{moment}=kill"))).await;
        lab.upstream.open("parent");
        lab.server.killed_itself().await;
        assert_eq!(all_end_after_a_restart(&mut lab, &parent, &children).await, status);
    }
}

#[tokio::test]
async fn children_that_a_leaving_server_did_not_start_survive_a_kill_around_their_start() {
    for point in ["start_free.before_commit", "start_free.after_commit"] {
        let mut lab = Lab::start().await;
        let (parent, children) = waiting_children(&mut lab, None).await;
        lab.server.terminate();
        let addr = lab.server.addr();
        let closed = async || tokio::net::TcpStream::connect(addr).await.is_err().then_some(());
        eventually("the listener to close", closed).await;
        lab.upstream.open("parent");
        lab.server.exit().await;
        assert_eq!(lab.upstream.received(), 2, "a server that stops starts no turn");
        Setup::new(&lab.home).faults(&format!("{point}=kill")).spawn().killed_itself().await;
        assert_eq!(all_end_after_a_restart(&mut lab, &parent, &children).await, "completed");
    }
}
