use session::{
    message::Message,
    time::Time,
    turn::{Failure, FailureCode, Finish, Reason},
};

use super::*;
use crate::{openai::Dialect, told::turn};

fn completed() -> Turn {
    Turn { finish: Some(Finish::Stop), ..turn(Status::Completed) }
}

fn queued() -> Event {
    Event::Queued { position: 0 }
}

fn started(attempt: u32) -> Event {
    Event::Started { model: "m".into(), attempt }
}

fn words(text: &str) -> Event {
    Event::Text { text: text.into(), offset: 0 }
}

fn refusal(text: &str) -> Event {
    Event::Refusal { text: text.into(), offset: 0 }
}

fn thought(text: &str, kind: ReasoningKind) -> Event {
    Event::Reasoning { text: text.into(), offset: 0, kind }
}

fn call(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> Event {
    let own = |text: &str| text.to_owned();
    Event::ToolCall { index, id: id.map(own), name: name.map(own), arguments: arguments.into() }
}

fn done(kind: PartKind, index: u32) -> Event {
    Event::PartDone { kind, index }
}

/// The log of a turn: events of its epochs, one after another, then its end.
struct Log {
    events: Vec<(EventId, Event)>,
    ended: Turn,
}

fn log(epochs: Vec<Vec<Event>>, ended: Turn) -> Log {
    let mut events = Vec::new();
    for (epoch, said) in epochs.into_iter().enumerate() {
        let id = |seq: u32| EventId::new(epoch as u32 + 1, seq);
        events.extend(said.into_iter().zip(1..).map(|(event, seq)| (id(seq), event)));
    }
    let last = events.last().map_or(EventId::START, |(id, _)| *id);
    events.push((EventId::new(last.epoch.max(1), last.seq + 1), Event::Ended));
    Log { events, ended }
}

#[test]
fn reasoning_and_errors_are_named_as_the_dialect_has_them() {
    let error = crate::error::ApiError::bad_request("a_code", "words").param("field");
    for (dialect, delta, done, message) in [
        (Dialect::OpenAi, "response.reasoning_text.delta", "response.reasoning_text.done", "/message"),
        (Dialect::OpenResponses, "response.reasoning.delta", "response.reasoning.done", "/error/message"),
    ] {
        let mut fold = Fold::new(turn(Status::Running), true, dialect);
        let text = "hm".to_owned();
        let mut names: Vec<&str> = Vec::new();
        for (event, seq) in
            [Event::Reasoning { text, kind: ReasoningKind::Text, offset: 0 }, Event::Ended].iter().zip(1..)
        {
            let ended = turn(Status::Completed);
            names.extend(fold.push(EventId::new(1, seq), event, Some(&ended)).iter().map(|event| event.name));
        }
        assert!(names.contains(&delta) && names.contains(&done), "{names:?}");
        let data = fold.broken(error.detail(), Some(40));
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!("error"), &json!(41)));
        assert_eq!(data.pointer(message), Some(&json!("words")));
    }
}

fn resumed(log: &Log, after: Option<u64>) -> Vec<Emitted> {
    let mut fold = Fold::new(turn(Status::Running), true, Dialect::OpenAi);
    let mut seen = Vec::new();
    for (id, event) in &log.events {
        let emitted = fold.push(*id, event, Some(&log.ended));
        seen.extend(fold.unseen(emitted, after));
    }
    seen
}

/// One line for each event, its name without `response.`, and what it says.
fn shown(events: &[Emitted]) -> Vec<String> {
    let short = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |event: &Emitted| {
        let data = event.clone().into_data();
        let mut line: String = event.name.trim_start_matches("response.").to_owned();
        let fields =
            ["output_index", "content_index", "summary_index", "delta", "text", "refusal", "name", "arguments"];
        for field in fields.iter().filter(|field| !data[**field].is_null()) {
            line.push_str(&format!(" {}", short(&data[*field])));
        }
        let mut line = line.trim_end().to_owned();
        for (parent, field) in [("item", "id"), ("item", "status"), ("part", "type"), ("response", "status")] {
            if let Some(value) = data[parent].get(field) {
                line.push_str(&format!(" {}", short(value)));
            }
        }
        line
    };
    events.iter().map(line).collect()
}

#[track_caller]
fn folds(log: &Log, expected: &str) {
    let all = resumed(log, None);
    let found = shown(&all).join("\n");
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(found, expected.join("\n"));
    let numbers: Vec<u64> = all.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (0..all.len() as u64).collect::<Vec<_>>(), "from 0, without gaps");
    assert!(all.iter().rev().skip(1).all(|event| !event.is_last) && all.last().unwrap().is_last);
}

#[test]
fn text() {
    let said = vec![started(1), words("Hel"), words("lo"), done(PartKind::Message, 0)];
    folds(
        &log(vec![said], completed()),
        "created in_progress
         in_progress in_progress
         output_item.added 0 msg_t_0 in_progress
         content_part.added 0 0 output_text
         output_text.delta 0 0 Hel
         output_text.delta 0 0 lo
         output_text.done 0 0 Hello
         content_part.done 0 0 output_text
         output_item.done 0 msg_t_0 completed
         completed completed",
    );
}

#[test]
fn a_turn_that_waited_and_was_tried_twice() {
    folds(
        &log(vec![vec![queued(), started(1), started(2)]], completed()),
        "created queued
         queued queued
         in_progress in_progress
         completed completed",
    );
    folds(
        &log(vec![vec![queued()]], turn(Status::Cancelled)),
        "created queued
         queued queued
         incomplete cancelled",
    );
}

#[test]
fn reasoning_of_both_kinds_and_a_refusal_behind_a_text() {
    let said = vec![
        started(1),
        thought("why", ReasoningKind::Text),
        thought("so", ReasoningKind::Summary),
        done(PartKind::Reasoning, 0),
        words("well"),
        done(PartKind::Message, 0),
        refusal("no"),
        done(PartKind::Refusal, 0),
    ];
    folds(
        &log(vec![said], completed()),
        "created in_progress
         in_progress in_progress
         output_item.added 0 rs_t_0 in_progress
         content_part.added 0 0 reasoning_text
         reasoning_text.delta 0 0 why
         reasoning_text.done 0 0 why
         content_part.done 0 0 reasoning_text
         reasoning_summary_part.added 0 0 summary_text
         reasoning_summary_text.delta 0 0 so
         reasoning_summary_text.done 0 0 so
         reasoning_summary_part.done 0 0 summary_text
         output_item.done 0 rs_t_0 completed
         output_item.added 1 msg_t_0 in_progress
         content_part.added 1 0 output_text
         output_text.delta 1 0 well
         output_text.done 1 0 well
         content_part.done 1 0 output_text
         content_part.added 1 1 refusal
         refusal.delta 1 1 no
         refusal.done 1 1 no
         content_part.done 1 1 refusal
         output_item.done 1 msg_t_0 completed
         completed completed",
    );
}

#[test]
fn function_calls_by_turns_and_a_name_in_pieces() {
    let said = vec![
        started(1),
        call(0, Some("a"), Some("wea"), ""),
        call(0, None, Some("ther"), ""),
        call(0, None, None, "{\"x\""),
        done(PartKind::ToolCall, 0),
        call(1, Some("b"), Some("time"), ""),
        done(PartKind::ToolCall, 1),
        call(0, None, None, ":1}"),
        done(PartKind::ToolCall, 0),
        call(2, Some("c"), Some("f"), "{}"),
        done(PartKind::ToolCall, 2),
    ];
    folds(
        &log(vec![said], completed()),
        "created in_progress
         in_progress in_progress
         output_item.added 0 fc_t_0 in_progress
         function_call_arguments.delta 0 {\"x\"
         function_call_arguments.delta 0 :1}
         function_call_arguments.done 0 weather {\"x\":1}
         output_item.done 0 fc_t_0 completed
         output_item.added 1 fc_t_1 in_progress
         output_item.added 2 fc_t_2 in_progress
         function_call_arguments.delta 2 {}
         function_call_arguments.done 2 f {}
         output_item.done 2 fc_t_2 completed
         function_call_arguments.done 1 time
         output_item.done 1 fc_t_1 completed
         completed completed",
    );
}

fn broken_off(ended: Turn, last: &str) {
    let said = vec![started(1), words("Hel"), done(PartKind::Message, 0)];
    folds(
        &log(vec![said], ended),
        &format!(
            "created in_progress
             in_progress in_progress
             output_item.added 0 msg_t_0 in_progress
             content_part.added 0 0 output_text
             output_text.delta 0 0 Hel
             output_text.done 0 0 Hel
             content_part.done 0 0 output_text
             output_item.done 0 msg_t_0 incomplete
             {last}"
        ),
    );
}

#[test]
fn incomplete_failed_and_cancelled() {
    broken_off(Turn { reason: Some(Reason::Length), ..turn(Status::Incomplete) }, "incomplete incomplete");
    broken_off(turn(Status::Cancelled), "incomplete cancelled");
    broken_off(turn(Status::Failed), "failed failed");
}

#[test]
fn the_end_says_why() {
    let of = |ended: Turn| resumed(&log(vec![vec![started(1)]], ended), None).pop().unwrap().into_data();
    let length = of(Turn { reason: Some(Reason::Length), ..turn(Status::Incomplete) });
    assert_eq!(length["response"]["incomplete_details"], json!({"reason": "max_output_tokens"}));
    let failure = Failure::new(FailureCode::UpstreamRateLimited, "slow down");
    let failed = of(Turn { error: Some(failure), ..turn(Status::Failed) });
    assert_eq!(failed["response"]["error"], json!({"code": "rate_limit_exceeded", "message": "slow down"}));
    assert_eq!(failed["response"]["usage"]["total_tokens"], 5);
    assert_eq!(failed["response"]["completed_at"], Value::Null);
    assert_eq!(of(completed())["response"]["completed_at"], 1_700_000_001);
}

/// What was stored before the crash, the snapshot that repeats it, and the end of the part.
fn interrupted() -> Log {
    let before = vec![started(1), words("Hel")];
    let snapshot = Event::Snapshot(Snapshot { text: "Hel".into(), ..Snapshot::default() });
    let ended = Turn { reason: Some(Reason::Interrupted), ..turn(Status::Incomplete) };
    log(vec![before, vec![snapshot, done(PartKind::Message, 0)]], ended)
}

#[test]
fn a_snapshot_that_repeats_the_log_says_nothing_new() {
    folds(
        &interrupted(),
        "created in_progress
         in_progress in_progress
         output_item.added 0 msg_t_0 in_progress
         content_part.added 0 0 output_text
         output_text.delta 0 0 Hel
         output_text.done 0 0 Hel
         content_part.done 0 0 output_text
         output_item.done 0 msg_t_0 incomplete
         incomplete incomplete",
    );
}

#[test]
fn a_snapshot_is_all_there_is_of_a_log_thrown_away() {
    let tool_calls = vec![ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() }];
    let snapshot = Snapshot { text: "Hi".into(), tool_calls, ..Snapshot::default() };
    folds(
        &log(vec![vec![Event::Snapshot(snapshot)]], completed()),
        "created in_progress
         in_progress in_progress
         output_item.added 0 msg_t_0 in_progress
         content_part.added 0 0 output_text
         output_text.delta 0 0 Hi
         output_text.done 0 0 Hi
         content_part.done 0 0 output_text
         output_item.done 0 msg_t_0 completed
         output_item.added 1 fc_t_0 in_progress
         function_call_arguments.delta 1 {}
         function_call_arguments.done 1 f {}
         output_item.done 1 fc_t_0 completed
         completed completed",
    );
}

#[test]
fn what_a_snapshot_takes_back_is_told_by_the_end_alone() {
    let mut ended = completed();
    ended.answer = Some(session::message::StoredMessage {
        id: "m".parse().unwrap(),
        session_id: "s".parse().unwrap(),
        turn_id: "t".parse().unwrap(),
        message: Message::assistant("anew"),
        timestamp: Time::EPOCH,
    });
    let shown_first = vec![started(1), words("Hel")];
    let again = vec![Event::Snapshot(Snapshot::default()), started(2), words("anew")];
    let events = resumed(&log(vec![shown_first, again], ended), None);
    assert_eq!(events.len(), 6, "{:?}", shown(&events));
    let response = events[5].clone().into_data()["response"].clone();
    assert_eq!(response["output"][0]["content"][0]["text"], "anew");
}

#[test]
fn a_stream_cut_after_each_event_and_resumed_equals_the_uncut_one() {
    let said = vec![
        queued(),
        started(1),
        thought("why", ReasoningKind::Text),
        done(PartKind::Reasoning, 0),
        words("well"),
        done(PartKind::Message, 0),
        call(0, Some("a"), Some("f"), "{}"),
        done(PartKind::ToolCall, 0),
    ];
    let log = log(vec![said], completed());
    let uncut = resumed(&log, None);
    for cut in 0..uncut.len() {
        assert_eq!(resumed(&log, Some(cut as u64)), uncut[cut + 1..], "cut after {cut}");
    }
}

#[test]
fn who_has_seen_more_than_the_log_has_gets_the_end_alone_numbered_behind_that() {
    let log = interrupted();
    let uncut = resumed(&log, None);
    for cut in 0..5 {
        assert_eq!(resumed(&log, Some(cut)), uncut[cut as usize + 1..], "what was stored before the crash");
    }
    for cut in [5, 7, 8, 40] {
        let end = resumed(&log, Some(cut));
        assert_eq!(end.len(), 1, "{:?}", shown(&end));
        assert_eq!((end[0].name, end[0].number), ("response.incomplete", (cut + 1).max(8)));
        assert_eq!(end[0].clone().into_data()["response"], uncut[8].clone().into_data()["response"]);
    }
}
