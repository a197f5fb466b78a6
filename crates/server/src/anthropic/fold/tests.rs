use session::{
    event::{PartKind, ReasoningKind},
    message::{Message, ToolCall},
    turn::{Failure, FailureCode, Finish, Reason, Status, Usage},
};

use super::*;
use crate::{
    anthropic::message::object,
    completion::Fold as _,
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

fn fold(thinking: bool) -> Fold {
    let id = RequestId::of(&http::HeaderMap::from_iter([(
        crate::request_id::X_REQUEST_ID,
        http::HeaderValue::from_static("req"),
    )]));
    Fold::new(&turn(Status::Running), "c/m".into(), thinking, id)
}

fn told(mut fold: Fold, events: &[Event], ended: &Turn) -> Vec<(&'static str, Value)> {
    let mut told: Vec<Told> = events.iter().flat_map(|event| fold.push(event, None)).collect();
    told.extend(fold.push(&Event::Ended, Some(ended)));
    let event = |told| match told {
        Told::Event(name, data) => {
            assert_eq!(data["type"], name);
            (name, data)
        }
        other => panic!("{other:?}"),
    };
    told.into_iter().map(event).collect()
}

/// The events between `message_start` and `message_delta`, without their names.
fn blocks(events: &[Event], ended: &Turn) -> String {
    let told = told(fold(true), events, ended);
    let names: Vec<&str> = told.iter().map(|(name, _)| *name).collect();
    assert_eq!((names[0], &names[names.len() - 2..]), ("message_start", &["message_delta", "message_stop"][..]));
    let lines = told[1..told.len() - 2].iter().map(|(name, data)| {
        let what = data.get("content_block").or(data.get("delta")).map(Value::to_string).unwrap_or_default();
        format!("{} {} {what}", data["index"], name.trim_start_matches("content_block_"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_message_begins_empty_and_ends_with_its_reason_and_its_cost() {
    let usage = Usage { prompt_tokens: 7, completion_tokens: 3, cached_tokens: 2, reasoning_tokens: 1 };
    let told = told(fold(true), &[Event::Queued { position: 0 }], &Turn { usage, ..ended(Finish::Stop) });
    let lines: Vec<String> = told.iter().map(|(_, data)| data.to_string()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
        {"message":{"content":[],"id":"msg_t","model":"c/m","role":"assistant","stop_details":null,"stop_reason":null,"stop_sequence":null,"type":"message","usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":0,"output_tokens":0}},"type":"message_start"}
        {"delta":{"stop_details":null,"stop_reason":"end_turn","stop_sequence":null},"type":"message_delta","usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"input_tokens":5,"output_tokens":3}}
        {"type":"message_stop"}
        "#);
}

#[test]
fn blocks_come_one_after_another() {
    let done = Event::PartDone { kind: PartKind::Message, index: 0 };
    let refusal = Event::Refusal { text: "no".into(), offset: 0 };
    let events = [thought("h"), thought("m"), words("Hel"), words("lo"), done, refusal];
    insta::assert_snapshot!(blocks(&events, &ended(Finish::Stop)), @r#"
        0 start {"signature":"","thinking":"","type":"thinking"}
        0 delta {"thinking":"h","type":"thinking_delta"}
        0 delta {"thinking":"m","type":"thinking_delta"}
        0 delta {"signature":"","type":"signature_delta"}
        0 stop 
        1 start {"citations":null,"text":"","type":"text"}
        1 delta {"text":"Hel","type":"text_delta"}
        1 delta {"text":"lo","type":"text_delta"}
        1 stop 
        2 start {"citations":null,"text":"","type":"text"}
        2 delta {"text":"no","type":"text_delta"}
        2 stop
        "#);
}

#[test]
fn calls_written_by_turns_come_one_after_another_too() {
    let calls = [
        words("look"),
        call(0, Some("a"), Some("lo"), ""),
        call(0, None, Some("ok"), ""),
        call(0, None, None, "{\"x\":"),
        call(1, Some("b"), Some("go"), "{"),
        call(0, None, None, "1}"),
        call(1, None, None, "}"),
        call(2, Some("c"), Some("stop"), ""),
        words("bye"),
    ];
    insta::assert_snapshot!(blocks(&calls, &ended(Finish::ToolCalls)), @r#"
        0 start {"citations":null,"text":"","type":"text"}
        0 delta {"text":"look","type":"text_delta"}
        0 stop 
        1 start {"id":"a","input":{},"name":"look","type":"tool_use"}
        1 delta {"partial_json":"{\"x\":","type":"input_json_delta"}
        1 delta {"partial_json":"1}","type":"input_json_delta"}
        1 stop 
        2 start {"id":"b","input":{},"name":"go","type":"tool_use"}
        2 delta {"partial_json":"{","type":"input_json_delta"}
        2 delta {"partial_json":"}","type":"input_json_delta"}
        2 stop 
        3 start {"id":"c","input":{},"name":"stop","type":"tool_use"}
        3 stop 
        4 start {"citations":null,"text":"","type":"text"}
        4 delta {"text":"bye","type":"text_delta"}
        4 stop
        "#);
}

#[test]
fn what_is_gathered_at_the_end_is_told() {
    let calls = [call(0, Some("a"), Some("f"), "{\"x\":"), call(1, Some("b"), Some("g"), "{}"), words("oh")];
    insta::assert_snapshot!(blocks(&calls, &turn(Status::Incomplete)), @r#"
        0 start {"id":"a","input":{},"name":"f","type":"tool_use"}
        0 delta {"partial_json":"{\"x\":","type":"input_json_delta"}
        0 stop 
        1 start {"id":"b","input":{},"name":"g","type":"tool_use"}
        1 delta {"partial_json":"{}","type":"input_json_delta"}
        1 stop 
        2 start {"citations":null,"text":"","type":"text"}
        2 delta {"text":"oh","type":"text_delta"}
        2 stop
        "#);
}

#[test]
fn thoughts_that_nobody_wants_are_left_out() {
    let events = [thought("hm"), words("hi")];
    let told = told(fold(false), &events, &ended(Finish::Stop));
    let started: Vec<&Value> = told.iter().filter_map(|(_, data)| data.get("content_block")).collect();
    assert_eq!(started, [&text("")]);
}

#[test]
fn a_snapshot_stands_for_a_log_that_is_gone_and_repeats_one_that_is_there() {
    let snapshot = Snapshot {
        text: "so".into(),
        reasoning: "hm".into(),
        tool_calls: vec![ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() }],
        ..Snapshot::default()
    };
    let whole = [thought("hm"), words("so"), call(0, Some("a"), Some("f"), "{}")];
    let expected = blocks(&whole, &ended(Finish::ToolCalls));
    assert_eq!(blocks(&[Event::Snapshot(snapshot.clone())], &ended(Finish::ToolCalls)), expected);
    let repeated = [&whole[..], &[Event::Snapshot(snapshot)]].concat();
    assert_eq!(blocks(&repeated, &ended(Finish::ToolCalls)), expected);
}

#[test]
fn a_failure_is_an_event_of_its_own() {
    let error = crate::refusal::of_failure(&Failure::new(FailureCode::UpstreamTimeout, "It is late."));
    let told = fold(true).fail(&error);
    let inner = json!({"type": "timeout_error", "message": "It is late.", "code": "upstream_timeout", "param": null});
    assert_eq!(told, [Told::Event("error", json!({"type": "error", "error": inner, "request_id": "req"}))]);
}

#[test]
fn an_end_has_its_reason() {
    let ended = |status, reason, finish| Turn { reason, finish, ..turn(status) };
    let table = [
        (Status::Completed, None, Some(Finish::Stop), "end_turn"),
        (Status::Completed, None, Some(Finish::ToolCalls), "tool_use"),
        (Status::Incomplete, Some(Reason::Length), Some(Finish::Length), "max_tokens"),
        (Status::Incomplete, Some(Reason::ContentFilter), Some(Finish::ContentFilter), "refusal"),
        (Status::Incomplete, Some(Reason::Interrupted), None, "max_tokens"),
        (Status::Cancelled, None, None, "max_tokens"),
    ];
    for (status, reason, finish, expected) in table {
        assert_eq!(stop_reason(&ended(status, reason, finish)), expected, "{status:?} {reason:?} {finish:?}");
    }
    let refused = Message { refusal: Some("no".into()), ..Message::assistant("") };
    assert_eq!(stop_reason(&answered(refused, crate::told::ended(Finish::Stop))), "refusal");
}

#[test]
fn a_whole_message_has_every_field_of_the_format() {
    let call = |arguments: &str| ToolCall { id: "a".into(), name: "f".into(), arguments: arguments.into() };
    let said = Message {
        reasoning: Some("hm".into()),
        refusal: Some("no".into()),
        tool_calls: vec![call("{\"x\": 1}"), call("{\"x")],
        ..Message::assistant("hi")
    };
    let ended = answered(said, ended(Finish::ToolCalls));
    insta::assert_json_snapshot!(object(&ended, "c", true), @r#"
        {
          "content": [
            {
              "signature": "",
              "thinking": "hm",
              "type": "thinking"
            },
            {
              "citations": null,
              "text": "hi",
              "type": "text"
            },
            {
              "citations": null,
              "text": "no",
              "type": "text"
            },
            {
              "id": "a",
              "input": {
                "x": 1
              },
              "name": "f",
              "type": "tool_use"
            },
            {
              "id": "a",
              "input": {},
              "name": "f",
              "type": "tool_use"
            }
          ],
          "id": "msg_t",
          "model": "c",
          "role": "assistant",
          "stop_details": null,
          "stop_reason": "refusal",
          "stop_sequence": null,
          "type": "message",
          "usage": {
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "input_tokens": 3,
            "output_tokens": 2
          }
        }
        "#);
    assert_eq!(object(&ended, "c", false)["content"][0]["type"], "text");
}
