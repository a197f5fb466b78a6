//! Streams cut after each event and resumed: while the response runs, after its end, after a restart, after a crash.

use serde_json::{Value, json};
use upstream::{Request, Script, Step};

use super::{ask, conversation, data, id, number, respond_in_background, rest, said};
use crate::support::{Client, Lab};

const KINDS: [(&str, &str); 4] = [
    ("text", "response.output_text.delta"),
    ("reasoning", "response.reasoning_text.delta"),
    ("refusal", "response.refusal.delta"),
    ("calls", "response.function_call_arguments.delta"),
];

fn script(request: &Request) -> Script {
    match request.last_user_message().as_str() {
        "text" => Script::deltas(["你好", ", wor", "ld\n\ndata: x", "\u{2028}end"]),
        "reasoning" => Script::deltas(["so ", "be it"]).reasoning("let me think about it"),
        "refusal" => Script::text("").refusal("I will not do that"),
        _ => Script::deltas(["I look"]).tool_call("call_1", "look", r#"{"q": "\u4f60 and more words"}"#).tool_call(
            "call_2",
            "count",
            r#"{"to": 3}"#,
        ),
    }
}

async fn follow(client: &Client, response: &str, after: usize) -> crate::support::Stream {
    client.follow(&format!("/v1/responses/{response}?stream=true&starting_after={after}")).await
}

/// What a client gets that has everything up to `after`, of a response whose stream is `uncut`.
fn expected(uncut: &[String], after: usize) -> Vec<String> {
    if after < uncut.len() {
        return uncut[after + 1..].to_vec();
    }
    // Nobody has more than there is: the end alone tells such a client how it stands.
    let end = uncut.len() - 1;
    let last = format!("\"sequence_number\":{end}");
    assert!(uncut[end].contains(&last), "{}", uncut[end]);
    vec![uncut[end].replace(&last, &format!("\"sequence_number\":{}", after + 1))]
}

#[tokio::test]
async fn a_stream_cut_after_each_event_and_resumed_equals_the_uncut_one() {
    let mut lab = Lab::start().await;
    let mut streams = Vec::new();
    for (kind, delta) in KINDS {
        let gate = format!("half of {kind}");
        let held = gate.clone();
        lab.upstream.respond(move |request| script(request).at(2, Step::gate(held.clone())));
        let body = json!({"model": "up", "input": kind, "stream": true});
        let mut live = lab.client.post_stream("/v1/responses", &body).await;
        let mut uncut = vec![live.try_next_raw().await.unwrap().unwrap()];
        let response = id(&data(&uncut[0])["response"]);
        lab.upstream.wait_at_gate(&gate, 1).await;
        // While it runs: from every number, of events that were shown and of such that will be.
        let mut resumed = Vec::new();
        for after in 0..40 {
            resumed.push(follow(&lab.client, &response, after).await);
        }
        let status = lab.client.get(&format!("/v1/responses/{response}")).await.expect(200)["status"].clone();
        assert_eq!(status, "in_progress");
        lab.upstream.open(&gate);

        uncut.extend(rest(&mut live).await);
        let numbers: Vec<u64> = uncut.iter().map(|event| number(event)).collect();
        assert_eq!(numbers, (0..uncut.len() as u64).collect::<Vec<_>>(), "no gaps");
        assert!(uncut.iter().filter(|event| data(event)["type"] == delta).count() > 1, "{uncut:#?}");
        assert!(uncut.len() < 40);
        for (after, stream) in resumed.iter_mut().enumerate() {
            assert_eq!(rest(stream).await, expected(&uncut, after), "{kind}, cut after {after} while it ran");
        }
        streams.push((kind, response, uncut));
    }
    every_cut_goes_on(&lab, &streams).await;
    lab.crash().await;
    every_cut_goes_on(&lab, &streams).await;
}

async fn every_cut_goes_on(lab: &Lab, streams: &[(&str, String, Vec<String>)]) {
    for (kind, response, uncut) in streams {
        assert_eq!(super::whole_stream(&lab.client, response).await, *uncut);
        for after in 0..uncut.len() + 3 {
            let found = rest(&mut follow(&lab.client, response, after).await).await;
            assert_eq!(found, expected(uncut, after), "{kind}, cut after {after}");
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_every_event_and_comes_again_misses_nothing() {
    let lab = Lab::start().await;
    let pieces: Vec<String> = (0..6).map(|n| format!("piece {n} ")).collect();
    let script = (1..=pieces.len()).fold(Script::deltas(&pieces), |script, at| script.at(at, Step::gate("next")));
    lab.upstream.respond(move |_| script.clone());
    let body = json!({"model": "up", "input": "hi", "stream": true});
    let mut uncut = lab.client.post_stream("/v1/responses", &body).await;
    let mut seen = vec![uncut.try_next_raw().await.unwrap().unwrap()];
    let response = id(&data(&seen[0])["response"]);
    let mut cut_often = seen.clone();
    for _ in &pieces {
        while data(seen.last().unwrap())["type"] != "response.output_text.delta" || seen.len() == cut_often.len() {
            seen.push(uncut.try_next_raw().await.unwrap().unwrap());
        }
        while cut_often.len() < seen.len() {
            let mut stream = follow(&lab.client, &response, cut_often.len() - 1).await;
            cut_often.push(stream.try_next_raw().await.unwrap().unwrap());
        }
        lab.upstream.wait_at_gate("next", 1).await;
        lab.upstream.let_through("next", 1);
    }
    assert_eq!(cut_often, seen);
    seen.extend(rest(&mut uncut).await);
    cut_often.extend(rest(&mut follow(&lab.client, &response, cut_often.len() - 1).await).await);
    assert_eq!(cut_often, seen);
    assert_eq!(said(&data(seen.last().unwrap())["response"]), pieces.concat());
}

/// What a client has seen of a response when the server is killed may be more than was stored. However that fell out,
/// it gets an end that it has not had, and the response in it is what the server goes on with.
#[tokio::test]
async fn a_client_that_may_have_seen_more_than_was_stored_gets_an_honest_end() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "first" => Script::deltas(["stored ", "or ", "not ", "and more"]).at(3, Step::gate("never")),
        _ => Script::text("well"),
    });
    let conversation = conversation(&lab.client).await;
    let mut body = ask(&conversation, "first");
    body["stream"] = true.into();
    let mut stream = lab.client.post_stream("/v1/responses", &body).await;
    let mut seen: Vec<String> = Vec::new();
    while deltas(&seen).len() < "stored or not ".len() {
        seen.push(stream.try_next_raw().await.unwrap().unwrap());
    }
    let response = id(&data(&seen[0])["response"]);
    lab.upstream.respond(|_| Script::text("again"));
    lab.crash().await;

    let rest = rest(&mut follow(&lab.client, &response, seen.len() - 1).await).await;
    let end = data(rest.last().unwrap());
    assert!(number(&rest[0]) >= seen.len() as u64, "{rest:#?}");
    let status = end["response"]["status"].as_str().unwrap();
    let text = said(&end["response"]);
    match status {
        // Nothing of it was stored: it ran again.
        "completed" => assert_eq!((text.as_str(), rest.len()), ("again", 1)),
        "incomplete" => assert!("stored or not ".starts_with(&text) && !text.is_empty(), "{text:?}"),
        other => panic!("{other}"),
    }
    if rest.len() > 1 {
        assert_eq!(deltas(&seen), text, "a stream that simply goes on has taken nothing back");
    }
    let polled = lab.client.get(&format!("/v1/responses/{response}")).await.expect(200);
    assert_eq!(polled, end["response"]);
    let next = respond_in_background(&lab.client, &conversation, "second").await;
    super::ended(&lab.client, &id(&next)).await;
    assert_eq!(lab.prompts().pop().unwrap()[1], ("assistant".to_owned(), text));
}

fn deltas(events: &[String]) -> String {
    let data = events.iter().map(|event| data(event));
    let deltas: Vec<Value> = data.filter(|data| data["type"] == "response.output_text.delta").collect();
    deltas.iter().map(|data| data["delta"].as_str().unwrap()).collect()
}
