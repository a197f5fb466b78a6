//! The OpenAI-compatible API across a crash, and beside the native one.

use serde_json::{Value, json};
use upstream::{Script, Step};

use crate::support::Lab;

/// The events of a stream that has ended, their numbers and their names.
async fn events(lab: &Lab, path: &str) -> Vec<(u64, String, Value)> {
    let text = lab.client.get(path).await.text();
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.last(), Some(&"[DONE]"), "{text}");
    let event = |data: &&str| {
        let data: Value = serde_json::from_str(data).unwrap();
        (data["sequence_number"].as_u64().unwrap(), data["type"].as_str().unwrap().to_owned(), data)
    };
    data[..data.len() - 1].iter().map(event).collect()
}

#[tokio::test]
async fn a_response_killed_half_way_gives_the_rest_of_what_was_stored_and_an_honest_end() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "first" => Script::deltas(["part one ", "part two"]).at(1, Step::gate("half")),
        other => Script::text(&format!("answer to {other}")),
    });
    let conversation = lab.client.post("/v1/conversations", &json!({})).await.expect(200)["id"].clone();
    let ask = json!({"model": "up", "conversation": conversation, "input": "first", "background": true});
    let response = lab.client.post("/v1/responses", &ask).await.expect(200)["id"].as_str().unwrap().to_owned();
    lab.wait_for_segment(response.strip_prefix("resp_").unwrap()).await;
    lab.crash().await;

    let path = format!("/v1/responses/{response}?stream=true");
    let whole = events(&lab, &path).await;
    let names: Vec<&str> = whole.iter().map(|(_, name, _)| name.trim_start_matches("response.")).collect();
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "incomplete",
    ];
    assert_eq!(names, expected);
    let end = &whole[8].2["response"];
    assert_eq!(end["incomplete_details"], json!({"reason": "interrupted"}));
    assert_eq!(end["output"][0]["content"][0]["text"], "part one ");
    assert_eq!(lab.client.get(&format!("/v1/responses/{response}")).await.expect(200), *end);
    // Events 0 to 4 were stored. Whoever has more may have had other ones under these numbers.
    for n in 0..5 {
        assert_eq!(events(&lab, &format!("{path}&starting_after={n}")).await, whole[n + 1..], "after {n} it goes on");
    }
    for n in [5, 6, 7, 8, 20] {
        let beyond = events(&lab, &format!("{path}&starting_after={n}")).await;
        let (number, name, data) = &beyond[0];
        assert_eq!((beyond.len(), name.as_str(), &data["response"]), (1, "response.incomplete", end), "the end alone");
        assert_eq!(*number, (n + 1).max(8), "behind what the client has");
    }

    // The conversation goes on, here, on the native API, and here again.
    let second = json!({"model": "up", "previous_response_id": response, "input": "second"});
    lab.client.post("/v1/responses", &second).await.expect(200);
    let session = conversation.as_str().unwrap().strip_prefix("conv_").unwrap();
    lab.chat(session, "third").await;
    let fourth = json!({"model": "up", "conversation": conversation, "input": "fourth"});
    lab.client.post("/v1/responses", &fourth).await.expect(200);
    let said: Vec<String> = lab.messages(session).await.into_iter().map(|(_, text)| text).collect();
    let before = ["first", "part one ", "second", "answer to second", "third", "answer to third", "fourth"];
    assert_eq!(said, [&before[..], &["answer to fourth"]].concat());
    let sent: Vec<String> = lab.prompts().pop().unwrap().into_iter().map(|(_, text)| text).collect();
    assert_eq!(sent, before, "the model gets all of it");
}
