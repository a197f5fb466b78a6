//! What was streamed of a turn can be streamed again, byte for byte.

use session::{
    event::{Event, EventId, PartKind, ReasoningKind},
    message::{Message, ToolCall},
    turn::{Outcome, Status},
};
use store::{Finish, Retention, Segment, StoredEvent};

use crate::support::*;

#[test]
fn events_read_back_are_those_that_were_stored_offsets_included() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        let shown = [
            Event::Started { model: "m".into(), attempt: 1 },
            Event::Reasoning { text: "哼…".into(), offset: 0, kind: ReasoningKind::Text },
            Event::PartDone { kind: PartKind::Reasoning, index: 0 },
            Event::Text { text: "你".into(), offset: 0 },
            Event::Text { text: "好, ".into(), offset: 1 },
            Event::Text { text: "you".into(), offset: 4 },
            Event::ToolCall { index: 0, id: Some("x".into()), name: Some("f".into()), arguments: "{".into() },
            Event::ToolCall { index: 0, id: None, name: None, arguments: "}".into() },
            Event::PartDone { kind: PartKind::ToolCall, index: 0 },
        ];
        let part =
            |first: usize, last: usize| Segment { first_seq: first as u32 + 1, events: shown[first..last].to_vec() };
        lab.segment(fence(&started), part(0, 1), 1, None, now()).wait().unwrap();
        lab.segment(fence(&started), part(1, 5), 1, Some([1; 32]), now()).wait().unwrap();
        let numbered = |events: &[Event]| -> Vec<StoredEvent> {
            events
                .iter()
                .cloned()
                .zip(1..)
                .map(|(event, seq)| StoredEvent { id: EventId::new(1, seq), event })
                .collect()
        };
        assert_eq!(read(lab, "t1", "0.0"), numbered(&shown[..5]), "while it runs");

        let rest = Some(part(5, 9));
        lab.end(Finish { rest, last_seq: 10, ..finish(&started, completed("你好, you")) });
        let mut all = numbered(&shown);
        all.push(StoredEvent { id: EventId::new(1, 10), event: Event::Ended });
        for cursor in 0..=10usize {
            assert_eq!(read(lab, "t1", &format!("1.{cursor}")), all[cursor..], "after {cursor}");
        }
        assert_eq!(read(lab, "t1", "1.4000000000"), []);
        assert_eq!(read(lab, "t1", "2.0"), []);
        assert!(lab.events(project(), id("t9"), EventId::START).wait().unwrap().is_none());
    });
}

#[test]
fn a_turn_that_waited_says_so_first() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        assert_eq!(shown(lab, "t3"), ["0.1 queued 1"]);
        lab.cancel(project(), id("t3"), now()).wait().unwrap();
        assert_eq!(shown(lab, "t3"), ["0.1 queued 1", "0.2 ended"]);
        lab.end(finish(&first, completed("a")));
        assert_eq!(shown(lab, "t2"), ["0.1 queued 0"]);
        assert_eq!(shown(lab, "t1"), ["1.1 ended"]);
    });
}

#[test]
fn after_the_log_is_gone_one_event_tells_what_was_said_of_each_kind() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        let answer = Message {
            reasoning: Some("why".into()),
            refusal: Some("no".into()),
            tool_calls: vec![ToolCall { id: "x".into(), name: "f".into(), arguments: "{}".into() }],
            ..Message::assistant("so")
        };
        lab.segment(fence(&started), segment(1, 0, &["s", "o"]), 1, None, now()).wait().unwrap();
        lab.end(Finish { last_seq: 40, ..finish(&started, Outcome { answer: Some(answer), ..completed("") }) });
        let final_before = read(lab, "t1", "1.39");

        let day = Retention::default().events_ms;
        assert_eq!(lab.purge_all(Retention::default(), later(day)), 0, "not yet");
        assert_eq!(lab.purge_all(Retention::default(), later(day + 1)), 1);
        assert_eq!(
            shown(lab, "t1"),
            [
                "1.1 reasoning why",
                "1.2 reasoning done",
                "1.3 text so",
                "1.4 message done",
                "1.5 refusal no",
                "1.6 refusal done",
                "1.7 call x f {}",
                "1.8 tool_call done",
                "1.40 ended"
            ]
        );
        assert_eq!(read(lab, "t1", "1.39"), final_before);
        assert_eq!(read(lab, "t1", "1.17"), final_before);
    });
}

#[test]
fn a_log_is_purged_whole_or_not_at_all() {
    on_every_engine(|lab| {
        let (early, late) = (lab.start(ask_new("s", "t1")), lab.start(ask_new("r", "r1")));
        let write = |started, seq: u32, at| {
            let segment = segment(seq, u64::from(seq) - 1, &["x"]);
            lab.segment(fence(started), segment, 1, None, later(at)).wait().unwrap();
        };
        for seq in 1..=600 {
            write(&early, seq, 0);
        }
        write(&late, 1, 0);
        lab.end(Finish { last_seq: 601, ..finish(&early, completed(&"x".repeat(600))) });
        write(&late, 2, 10_000);
        let mut end = Finish { last_seq: 3, ..finish(&late, completed("xx")) };
        end.now = later(10_000);
        lab.end(end);

        let day = Retention::default().events_ms;
        assert_eq!(lab.purge(Retention::default(), later(day + 1)).wait().unwrap(), 600, "more than a stride");
        assert_eq!(shown(lab, "t1").len(), 3);
        assert_eq!(shown(lab, "r1"), ["1.1 text x", "1.2 text x", "1.3 ended"], "it ended later");
        assert_eq!(lab.purge_all(Retention::default(), later(day + 1)), 0);
        assert_eq!(lab.purge_all(Retention::default(), later(day + 10_001)), 2);
    });
}

#[test]
fn the_log_of_a_running_turn_stays() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        lab.segment(fence(&started), segment(1, 0, &["x"]), 1, None, now()).wait().unwrap();
        assert_eq!(lab.purge_all(Retention::default(), later(i64::MAX / 2)), 0);
        assert_eq!(lab.read_turn("t1").status, Status::Running);
        assert_eq!(shown(lab, "t1"), ["1.1 text x"]);
    });
}

fn read(lab: &Lab, turn: &str, after: &str) -> Vec<StoredEvent> {
    lab.events(project(), id(turn), after.parse().unwrap()).wait().unwrap().unwrap().events
}

/// Events as short lines.
pub fn shown(lab: &Lab, turn: &str) -> Vec<String> {
    let line = |stored: StoredEvent| {
        let what = match stored.event {
            Event::Queued { position } => format!("queued {position}"),
            Event::Started { attempt, .. } => format!("started {attempt}"),
            Event::Text { text, .. } => format!("text {text}"),
            Event::Reasoning { text, .. } => format!("reasoning {text}"),
            Event::Refusal { text, .. } => format!("refusal {text}"),
            Event::ToolCall { id, name, arguments, .. } => {
                format!("call {} {} {arguments}", id.unwrap_or_default(), name.unwrap_or_default())
            }
            Event::PartDone { kind, .. } => format!("{} done", kind.as_str()),
            Event::Snapshot(snapshot) => format!("snapshot {}", snapshot.text),
            Event::Ended => "ended".into(),
        };
        format!("{} {what}", stored.id)
    };
    read(lab, turn, "0.0").into_iter().map(line).collect()
}
