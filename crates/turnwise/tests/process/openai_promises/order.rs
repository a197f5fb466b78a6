//! Many senders at one conversation.

use serde_json::{Value, json};
use upstream::{Request, Script, Step};

use super::{ask, conversation, data, ended, id, respond, respond_in_background, rest, said};
use crate::support::Lab;

fn answer(request: &Request) -> Script {
    Script::text(&format!("answer to {}", request.last_user_message()))
}

#[tokio::test]
async fn twelve_sends_at_once_to_one_conversation_are_twelve_responses_in_one_order() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| answer(request).before_head(Step::gate("all")));
    let conversation = conversation(&lab.client).await;
    let sends = Vec::from_iter((0..12).map(|n| {
        let (client, body) = (lab.client.clone(), ask(&conversation, format!("question {n}")));
        tokio::spawn(async move { client.post("/v1/responses", &body).await })
    }));
    // All of them are there before the first is answered.
    let waiting = "SELECT count(*) FROM chat_turns WHERE status = 'queued'";
    crate::support::eventually("eleven to wait", async || (lab.home.number(waiting) == 11).then_some(())).await;
    lab.upstream.open("all");

    let mut answers = Vec::new();
    for (n, send) in sends.into_iter().enumerate() {
        let response = send.await.unwrap().expect(200);
        assert_eq!((&response["status"], said(&response)), (&json!("completed"), format!("answer to question {n}")));
        answers.push(id(&response));
    }
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 12);

    let mut told: Vec<(String, String)> = Vec::new();
    for prompt in lab.prompts() {
        let question = prompt.last().unwrap().clone();
        told.push(question.clone());
        assert_eq!(prompt, told, "every request carries all that came before");
        told.push(("assistant".into(), format!("answer to {}", question.1)));
    }
    assert_eq!(told.len(), 24);
    let items =
        lab.client.get(&format!("/v1/conversations/{conversation}/items?order=asc&limit=100")).await.expect(200);
    let listed = items["data"].as_array().unwrap().iter();
    let listed = Vec::from_iter(listed.map(|item| (item["role"].as_str().unwrap().to_owned(), said(item))));
    assert_eq!(listed, told);
}

#[tokio::test]
async fn the_output_of_a_function_call_goes_before_a_message_that_waits() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "look" if request.messages().last().unwrap().0 == "user" => Script::calling("call_1", "look", "{}"),
        _ => answer(request),
    });
    let conversation = conversation(&lab.client).await;
    let calling = respond(&lab.client, &conversation, "look").await;
    assert_eq!(calling["output"][0]["call_id"], "call_1");
    let waiting = respond_in_background(&lab.client, &conversation, "meanwhile").await;
    assert_eq!(waiting["status"], "queued");
    let output = json!([{"type": "function_call_output", "call_id": "call_1", "output": "a cat"}]);
    let answered = respond(&lab.client, &conversation, output).await;
    assert_eq!(answered["previous_response_id"], calling["id"]);
    assert_eq!(said(&ended(&lab.client, &id(&waiting)).await), "answer to meanwhile");

    let prompts = lab.prompts();
    let texts: Vec<&str> = prompts[2].iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["look", "", "a cat", "answer to look", "meanwhile"]);
    assert_eq!(prompts[1], prompts[2][..3], "the output ran first");
    assert_eq!(prompts.len(), 3);
}

#[tokio::test]
async fn twenty_sends_at_once_under_one_key_are_one_response_and_one_call() {
    let lab = Lab::start().await;
    lab.upstream.respond(|request| answer(request).before_head(Step::gate("go")));
    let conversation = conversation(&lab.client).await;
    let client = lab.client.once("key-1");
    let whole = Vec::from_iter((0..10).map(|_| {
        let (client, body) = (client.clone(), ask(&conversation, "hi"));
        tokio::spawn(async move { client.post("/v1/responses", &body).await })
    }));
    let mut streaming = ask(&conversation, "hi");
    streaming["stream"] = true.into();
    let streamed = Vec::from_iter((0..10).map(|_| {
        let (client, body) = (client.clone(), streaming.clone());
        tokio::spawn(async move { rest(&mut client.post_stream("/v1/responses", &body).await).await })
    }));
    lab.upstream.wait_at_gate("go", 1).await;
    lab.upstream.open("go");

    let mut responses: Vec<Value> = Vec::new();
    for send in whole {
        responses.push(send.await.unwrap().expect(200));
    }
    let mut streams = Vec::new();
    for send in streamed {
        streams.push(send.await.unwrap());
    }
    streams.dedup();
    assert_eq!(streams.len(), 1, "the same bytes for all");
    responses.push(data(streams[0].last().unwrap())["response"].clone());
    responses.dedup();
    assert_eq!(responses.len(), 1, "the same for all: {responses:#?}");
    assert_eq!(lab.upstream.received(), 1);
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns"), 1);
}
