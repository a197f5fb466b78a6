use session::{
    event::{PartKind, ReasoningKind},
    message::{Message, ToolCall},
    turn::{Failure, FailureCode, Finish, Reason, Status, Usage},
};

use super::*;
use crate::{
    completion::Fold as _,
    openai::chat::object::completion,
    told::{answered, ended, turn},
};

fn words(text: &str) -> Event {
    Event::Text { text: text.into(), offset: 0 }
}

fn thought(text: &str) -> Event {
    Event::Reasoning { text: text.into(), offset: 0, kind: ReasoningKind::Text }
}

fn call(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> Event {
    let own = |text: &str| text.to_owned();
    Event::ToolCall { index, id: id.map(own), name: name.map(own), arguments: arguments.into() }
}

fn told(include_usage: bool, events: &[Event], ended: &Turn) -> Vec<Told> {
    let mut fold = Fold::new(&turn(Status::Running), Some("c/m".into()), include_usage);
    let mut told: Vec<Told> = events.iter().flat_map(|event| fold.push(event, None)).collect();
    told.extend(fold.push(&Event::Ended, Some(ended)));
    told
}

/// Each chunk's delta and, where it has one, its finish reason.
fn deltas(events: &[Event], ended: &Turn) -> String {
    let told = told(false, events, ended);
    assert_eq!(told.last(), Some(&Told::Done));
    let lines = told[..told.len() - 1].iter().map(|told| {
        let Told::Data(chunk) = told else { panic!("{told:?}") };
        let choice = &chunk["choices"][0];
        match choice["finish_reason"].as_str() {
            Some(reason) => format!("{} {reason}", choice["delta"]),
            None => choice["delta"].to_string(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_text_begins_with_its_role_and_ends_with_the_reason() {
    let started = Event::Started { model: "m".into(), attempt: 1 };
    let done = Event::PartDone { kind: PartKind::Message, index: 0 };
    let events = [started, words("Hel"), words("lo"), done];
    insta::assert_snapshot!(deltas(&events, &ended(Finish::Stop)), @r#"
        {"content":"","refusal":null,"role":"assistant"}
        {"content":"Hel"}
        {"content":"lo"}
        {} stop
        "#);
    insta::assert_snapshot!(deltas(&[], &ended(Finish::Stop)), @r#"
        {"content":"","refusal":null,"role":"assistant"}
        {} stop
        "#);
}

#[test]
fn every_chunk_has_what_clients_look_for_and_the_last_one_counts_if_that_was_asked_for() {
    let usage = Usage { prompt_tokens: 7, completion_tokens: 3, cached_tokens: 2, reasoning_tokens: 1 };
    let told = told(true, &[words("hi")], &Turn { usage, ..ended(Finish::Stop) });
    let chunks: Vec<String> = told
        .iter()
        .map(|told| match told {
            Told::Data(chunk) => chunk.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    insta::assert_snapshot!(chunks.join("\n"), @r#"
        {"choices":[{"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1700000000,"id":"chatcmpl-t","model":"c/m","object":"chat.completion.chunk","system_fingerprint":null,"usage":null}
        {"choices":[{"delta":{"content":"hi"},"finish_reason":null,"index":0,"logprobs":null}],"created":1700000000,"id":"chatcmpl-t","model":"c/m","object":"chat.completion.chunk","system_fingerprint":null,"usage":null}
        {"choices":[{"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":1700000000,"id":"chatcmpl-t","model":"c/m","object":"chat.completion.chunk","system_fingerprint":null,"usage":null}
        {"choices":[],"created":1700000000,"id":"chatcmpl-t","model":"c/m","object":"chat.completion.chunk","system_fingerprint":null,"usage":{"completion_tokens":3,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":1,"rejected_prediction_tokens":0},"prompt_tokens":7,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":2},"total_tokens":10}}
        Done
        "#);
}

#[test]
fn thoughts_a_refusal_and_calls_have_fields_of_their_own() {
    let refusal = Event::Refusal { text: "no".into(), offset: 0 };
    insta::assert_snapshot!(deltas(&[thought("hm"), refusal], &ended(Finish::Stop)), @r#"
        {"content":null,"refusal":null,"role":"assistant"}
        {"reasoning_content":"hm"}
        {"refusal":"no"}
        {} stop
        "#);
    let calls = [
        words("look: "),
        call(0, Some("a"), Some("lo"), ""),
        call(0, None, Some("ok"), ""),
        call(0, None, None, "{\"x\":"),
        call(1, Some("b"), Some("go"), ""),
        call(0, None, None, "1}"),
        call(1, None, None, "{}"),
        call(2, Some("c"), Some("stop"), ""),
    ];
    insta::assert_snapshot!(deltas(&calls, &ended(Finish::ToolCalls)), @r#"
        {"content":"","refusal":null,"role":"assistant"}
        {"content":"look: "}
        {"tool_calls":[{"function":{"arguments":"","name":"look"},"id":"a","index":0,"type":"function"}]}
        {"tool_calls":[{"function":{"arguments":"{\"x\":"},"index":0}]}
        {"tool_calls":[{"function":{"arguments":"","name":"go"},"id":"b","index":1,"type":"function"}]}
        {"tool_calls":[{"function":{"arguments":"1}"},"index":0}]}
        {"tool_calls":[{"function":{"arguments":"{}"},"index":1}]}
        {"tool_calls":[{"function":{"arguments":"","name":"stop"},"id":"c","index":2,"type":"function"}]}
        {} tool_calls
        "#);
}

#[test]
fn a_snapshot_stands_for_a_log_that_is_gone_and_repeats_one_that_is_there() {
    let snapshot = Snapshot {
        text: "so".into(),
        reasoning: "hm".into(),
        tool_calls: vec![ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() }],
        ..Snapshot::default()
    };
    let gone = deltas(&[Event::Snapshot(snapshot.clone())], &ended(Finish::ToolCalls));
    let whole = [thought("hm"), words("so"), call(0, Some("a"), Some("f"), "{}")];
    assert_eq!(gone, deltas(&whole, &ended(Finish::ToolCalls)));
    let repeated = [&whole[..], &[Event::Snapshot(snapshot)]].concat();
    assert_eq!(gone, deltas(&repeated, &ended(Finish::ToolCalls)));
}

#[test]
fn a_failure_is_told_without_done() {
    let error = crate::refusal::of_failure(&Failure::new(FailureCode::UpstreamError, "It broke."));
    let mut fold = Fold::new(&turn(Status::Running), None, false);
    let told = fold.fail(&error);
    let expected =
        json!({"error": {"type": "upstream_error", "code": "upstream_error", "message": "It broke.", "param": null}});
    assert_eq!(told, [Told::Data(expected)]);
}

#[test]
fn an_end_has_its_reason() {
    let ended = |status, reason, finish| Turn { reason, finish, ..turn(status) };
    let table = [
        (Status::Completed, None, Some(Finish::Stop), "stop"),
        (Status::Completed, None, None, "stop"),
        (Status::Completed, None, Some(Finish::ToolCalls), "tool_calls"),
        (Status::Incomplete, Some(Reason::Length), Some(Finish::Length), "length"),
        (Status::Incomplete, Some(Reason::ContentFilter), Some(Finish::ContentFilter), "content_filter"),
        (Status::Incomplete, Some(Reason::Interrupted), None, "length"),
        (Status::Cancelled, None, None, "length"),
    ];
    for (status, reason, finish, expected) in table {
        assert_eq!(finish_reason(&ended(status, reason, finish)), expected, "{status:?} {reason:?} {finish:?}");
    }
}

#[test]
fn a_whole_answer_has_every_field_of_the_format() {
    let call = ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() };
    let said = Message { reasoning: Some("hm".into()), tool_calls: vec![call], ..Message::assistant("") };
    let object = completion(&answered(said, ended(Finish::ToolCalls)), None);
    insta::assert_json_snapshot!(object, @r#"
        {
          "choices": [
            {
              "finish_reason": "tool_calls",
              "index": 0,
              "logprobs": null,
              "message": {
                "annotations": [],
                "content": null,
                "reasoning_content": "hm",
                "refusal": null,
                "role": "assistant",
                "tool_calls": [
                  {
                    "function": {
                      "arguments": "{}",
                      "name": "f"
                    },
                    "id": "a",
                    "type": "function"
                  }
                ]
              }
            }
          ],
          "created": 1700000000,
          "id": "chatcmpl-t",
          "model": "c",
          "object": "chat.completion",
          "system_fingerprint": null,
          "usage": {
            "completion_tokens": 2,
            "completion_tokens_details": {
              "accepted_prediction_tokens": 0,
              "audio_tokens": 0,
              "reasoning_tokens": 0,
              "rejected_prediction_tokens": 0
            },
            "prompt_tokens": 3,
            "prompt_tokens_details": {
              "audio_tokens": 0,
              "cached_tokens": 0
            },
            "total_tokens": 5
          }
        }
        "#);

    let message =
        |message: Message| completion(&answered(message, ended(Finish::Stop)), None)["choices"][0]["message"].clone();
    assert_eq!(message(Message::assistant("hi"))["content"], "hi");
    let refused = message(Message { refusal: Some("no".into()), ..Message::assistant("") });
    assert_eq!((&refused["content"], &refused["refusal"]), (&Value::Null, &json!("no")));
    let nothing = completion(&ended(Finish::Stop), None);
    assert_eq!(nothing["choices"][0]["message"]["content"], "");
}
