//! What is deleted is gone: from the rows, the histories, the logs. What was said around it stays where it was.

use session::{
    event::{Event, EventId},
    message::{Message, MessagePart, Role, ToolCall},
    turn::{Finish as FinishReason, Outcome, Status},
};
use store::{Admit, Error, Finish, Input, Page, Said, Segment, SessionChange, Source, Turn};

use crate::{events::shown, support::*};

/// Every part that an answer can have.
fn rich(text: &str, calls: &[&str]) -> Outcome {
    let call = |call: &&str| ToolCall { id: (*call).into(), name: "f".into(), arguments: format!("{{\"{call}\": 1}}") };
    let message = Message {
        tool_calls: calls.iter().map(call).collect(),
        reasoning: Some("thoughts".into()),
        refusal: Some("no".into()),
        ..Message::assistant(text)
    };
    Outcome { answer: Some(message), finish: Some(FinishReason::ToolCalls), ..completed("") }
}

fn asked(message: &str) -> Said {
    Said { source: Source::Input(id(message)), part: MessagePart::Text }
}

fn answered(turn: &str, part: MessagePart) -> Said {
    Said { source: Source::Answer(id(turn)), part }
}

fn delete(lab: &Lab, session: &str, said: Said) -> Turn {
    lab.delete_said(project(), id(session), said, later(5)).wait().unwrap()
}

fn refused(lab: &Lab, session: &str, said: Said) -> bool {
    matches!(lab.delete_said(project(), id(session), said, now()).wait(), Err(Error::MessageNotFound))
}

/// Of the answer: its text, reasoning, and calls with their numbers.
fn parts(turn: &Turn) -> String {
    let Some(answer) = &turn.answer else { return "nothing".into() };
    let message = &answer.message;
    let calls =
        message.tool_calls.iter().enumerate().map(|(at, call)| format!("{}={}", message.call_number(at), call.id));
    let said = [Some(message.content.text().into_owned()), message.refusal.clone(), message.reasoning.clone()];
    said.into_iter().flatten().chain(calls).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_message_goes_and_the_others_stay_in_their_places() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for turn in ["t1", "t2", "t3"] {
            lab.say("s", turn);
        }
        let before = lab.query("SELECT id, number, place, role, tokens FROM chat_messages ORDER BY number, place");
        let turns = lab.query("SELECT * FROM chat_turns ORDER BY number");
        delete(lab, "s", asked("u-t2"));
        let dump = lab.dump().join("\n");
        assert!(dump.contains("u-t1") && dump.contains("u-t2|s|t2"), "the row is there");
        assert_eq!(
            lab.said("s"),
            ["user|u-t1", "assistant|a-t1", "user|", "assistant|a-t2", "user|u-t3", "assistant|a-t3"]
        );
        assert_eq!(
            lab.query("SELECT id, number, place, role, tokens FROM chat_messages ORDER BY number, place"),
            before
        );
        assert_eq!(lab.query("SELECT * FROM chat_turns ORDER BY number"), turns, "counters and links are left alone");
        assert_eq!(lab.query("SELECT id FROM chat_messages WHERE deleted_at IS NOT NULL"), ["u-t2"]);

        let path = lab.path(project(), id("s"), None, page(10)).wait().unwrap();
        let ids: Vec<&str> = path.messages.iter().map(|found| found.message.id.as_str()).collect();
        assert_eq!(ids, ["u-t1", "a-t1", "a-t2", "u-t3", "a-t3"]);
        assert!(lab.input_message(project(), id("u-t2")).wait().unwrap().is_none());
        assert_eq!(past(&lab.start(ask("s", "t4"))), ["u-t1", "a-t1", "a-t2", "u-t3", "a-t3"]);
    });
}

#[test]
fn a_deleted_message_is_a_place_in_lists_still() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for turn in ["t1", "t2"] {
            lab.say("s", turn);
        }
        delete(lab, "s", asked("u-t2"));
        delete(lab, "s", answered("t1", MessagePart::Text));
        let place = |said: Said| lab.place_of(project(), id("s"), said.source).wait().unwrap().map(|id| id.to_string());
        assert_eq!(place(asked("u-t2")).as_deref(), Some("u-t2"));
        assert_eq!(place(answered("t1", MessagePart::Text)).as_deref(), Some("a-t1"));
        assert_eq!(place(asked("a-t1")), None, "an answer was not asked");
        assert_eq!(place(asked("u-t9")), None);
        assert_eq!(lab.place_of(id("q"), id("s"), asked("u-t2").source).wait().unwrap(), None);
        lab.add_session("other");
        assert_eq!(lab.place_of(project(), id("other"), asked("u-t2").source).wait().unwrap(), None);
        for after in ["u-t1", "a-t1", "u-t2"] {
            let page = Page { after: Some(after.into()), ..page(10) };
            let path = lab.path(project(), id("s"), None, page).wait().unwrap();
            let ids: Vec<&str> = path.messages.iter().map(|found| found.message.id.as_str()).collect();
            assert_eq!(ids, ["a-t2"], "after {after}");
        }
    });
}

#[test]
fn an_answer_goes_part_by_part_and_its_calls_keep_their_numbers() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        lab.end(finish(&started, rich("words", &["x", "y", "z"])));
        let delete = |part| parts(&delete(lab, "s", answered("t1", part)));
        assert_eq!(delete(MessagePart::ToolCall(0)), "words no thoughts 1=y 2=z");
        assert!(refused(lab, "s", answered("t1", MessagePart::ToolCall(0))), "it is deleted");
        assert!(refused(lab, "s", answered("t1", MessagePart::ToolCall(3))), "there never was one");
        assert_eq!(delete(MessagePart::Text), "thoughts 1=y 2=z");
        assert!(refused(lab, "s", answered("t1", MessagePart::Text)));
        assert_eq!(delete(MessagePart::ToolCall(1)), "thoughts 2=z");
        lab.reopen();
        let delete = |part| parts(&self::delete(lab, "s", answered("t1", part)));
        assert_eq!(parts(&lab.read_turn("t1")), "thoughts 2=z");
        assert_eq!(delete(MessagePart::Reasoning), "2=z");
        assert_eq!(lab.query("SELECT count(*) FROM chat_messages WHERE deleted_at IS NOT NULL"), ["0"]);
        assert_eq!(delete(MessagePart::ToolCall(2)), "nothing");
        assert_eq!(lab.query("SELECT count(*) FROM chat_messages WHERE deleted_at IS NOT NULL"), ["1"]);
        assert_eq!(lab.read_turn("t1").status, Status::Completed);
        let dump = lab.dump().join("\n");
        for gone in ["words", "thoughts", "\"f\"", "\"x\"", "\"z\""] {
            assert!(!dump.contains(gone), "{gone} is in {dump}");
        }
    });
}

#[test]
fn a_log_goes_whole_and_a_replay_is_made_of_what_is_left() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        let call = |index: u32, id: &str| Event::ToolCall {
            index,
            id: Some(id.into()),
            name: Some("f".into()),
            arguments: format!("{{\"{id}\": 1}}"),
        };
        let events = vec![Event::Text { text: "words".into(), offset: 0 }, call(0, "x"), call(1, "y")];
        lab.segment(fence(&started), Segment { first_seq: 1, events }, 1, None, now()).wait().unwrap();
        lab.end(Finish { last_seq: 9, ..finish(&started, rich("words", &["x", "y"])) });
        delete(lab, "s", asked("u-t1"));
        assert_eq!(lab.query("SELECT count(*) FROM chat_segments"), ["1"], "nothing of it is in the log");
        delete(lab, "s", answered("t1", MessagePart::ToolCall(0)));
        assert_eq!(lab.query("SELECT count(*) FROM chat_segments"), ["0"]);
        let replay = [
            "1.1 reasoning thoughts",
            "1.2 reasoning done",
            "1.3 text words",
            "1.4 message done",
            "1.5 refusal no",
            "1.6 refusal done",
            "1.7 call y f {\"y\": 1}",
            "1.8 tool_call done",
            "1.9 ended",
        ];
        assert_eq!(shown(lab, "t1"), replay);
        for part in [MessagePart::Text, MessagePart::Reasoning, MessagePart::ToolCall(1)] {
            delete(lab, "s", answered("t1", part));
        }
        assert_eq!(shown(lab, "t1"), ["1.9 ended"]);
    });
}

#[test]
fn remembered_windows_forget_it() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for n in 0..10 {
            lab.say("s", &format!("t{n}"));
        }
        let running = lab.start(ask("s", "t10"));
        delete(lab, "s", asked("u-t4"));
        delete(lab, "s", answered("t5", MessagePart::Text));
        delete(lab, "s", asked("u-t10"));
        lab.end(finish(&running, completed("a-t10")));
        for (turn, parent) in [("x", None), ("y", Some("t9")), ("z", Some("t6"))] {
            let ask = parent.map_or_else(|| ask("s", turn), |parent| ask_after("s", turn, Some(parent)));
            let started = lab.start(ask);
            let sent = past(&started);
            assert!(sent.contains(&"a-t4".into()) && sent.contains(&"u-t5".into()), "{sent:?}");
            for gone in ["u-t4", "a-t5", "u-t10"] {
                assert!(!sent.contains(&gone.into()), "{turn}: {sent:?}");
            }
            lab.end(finish(&started, completed("so")));
        }
    });
}

#[test]
fn only_what_is_in_the_conversation_can_be_deleted_and_once() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let running = lab.start(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        for not_there in [asked("u-t3"), asked("a-t1"), asked("none"), answered("t2", MessagePart::Text)] {
            assert!(refused(lab, "s", not_there.clone()), "{not_there:?}");
        }
        lab.add_session("other");
        let said = [asked("u-t1"), answered("t1", MessagePart::Text), asked("u-t2")];
        for said in said.clone() {
            assert!(refused(lab, "other", said.clone()), "of another session");
            let elsewhere = lab.delete_said(id("q"), id("s"), said, now()).wait();
            assert!(matches!(elsewhere, Err(Error::SessionNotFound)), "of another project");
        }
        for said in said {
            delete(lab, "s", said.clone());
            assert!(refused(lab, "s", said), "the second time");
        }
        lab.end(finish(&running, completed("a-t2")));
        assert_eq!(lab.said("s"), ["user|", "assistant|", "user|", "assistant|a-t2", "user|u-t3"]);
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        let deleted = lab.delete_said(project(), id("s"), asked("u-t3"), now()).wait();
        assert!(matches!(deleted, Err(Error::SessionNotFound)));
    });
}

#[test]
fn a_turn_that_was_asked_nothing_any_more_is_not_tried_again() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let two = ["one", "two"].map(|name| input(name, Message::user(name))).to_vec();
        let started = lab.start(Admit { input: Input::Messages(two), ..ask("s", "t1") });
        lab.end(finish(&started, cut_short("a-t1")));
        delete(lab, "s", asked("one"));
        let again = lab.start(ask_again("s", "t2", "t1"));
        assert_eq!(texts(&again.input), ["two"], "what is left");
        lab.end(finish(&again, completed("a-t2")));
        delete(lab, "s", asked("two"));
        assert!(matches!(lab.admit(ask_again("s", "t3", "t1")).wait(), Err(Error::NothingAsked)));
        assert_eq!(lab.read_turn("t2").answer.unwrap().message, Message::assistant("a-t2"));
    });
}

#[test]
fn a_fork_has_what_was_left_and_keeps_it() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        lab.end(finish(&started, rich("words", &["x", "y"])));
        delete(lab, "s", answered("t1", MessagePart::ToolCall(0)));
        delete(lab, "s", asked("u-t1"));
        lab.fork(project(), id("s"), id("t1"), id("f"), None, now()).wait().unwrap();
        delete(lab, "s", answered("t1", MessagePart::Text));
        let path = lab.path(project(), id("f"), None, page(10)).wait().unwrap();
        let answer = &path.messages[0].message;
        assert_eq!((path.messages.len(), answer.message.role), (1, Role::Assistant));
        assert_eq!(answer.message.content.text(), "words");
        assert_eq!((answer.message.call_number(0), answer.message.tool_calls[0].id.as_str()), (1, "y"));
    });
}

#[test]
fn a_deleted_response_stays_a_turn() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let running = lab.start(ask("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let delete = |project: &str, turn: &str| lab.delete_response(id(project), id(turn), now()).wait();
        for turn in ["t1", "t2"] {
            assert!(matches!(delete("p", turn), Err(Error::NotEnded)), "{turn}");
        }
        lab.cancel(project(), id("t2"), now()).wait().unwrap();
        lab.end(finish(&running, completed("a-t1")));
        assert!(matches!(delete("q", "t1"), Err(Error::TurnNotFound)));
        for turn in ["t1", "t2"] {
            assert!(!lab.read_turn(turn).response_deleted);
            delete("p", turn).unwrap();
            assert!(lab.read_turn(turn).response_deleted);
            assert!(matches!(delete("p", turn), Err(Error::TurnNotFound)), "{turn}, the second time");
        }
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a-t1"]);
        assert!(lab.events(project(), id("t1"), EventId::START).wait().unwrap().is_some());
        assert!(!lab.dump().join("\n").contains("u-t2"), "what was never asked is nowhere else");
    });
}

#[test]
fn a_deleted_response_of_a_chain_leaves_nothing_but_its_place() {
    on_every_engine(|lab| {
        let first = lab.start(Admit { free: true, ..ask_new("s", "t1") });
        lab.segment(fence(&first), segment(1, 0, &["gone-1"]), 1, None, now()).wait().unwrap();
        lab.end(finish(&first, completed("gone-1")));
        let request = Some(serde_json::json!({"user": "secret"}));
        let second = lab.start(Admit { request: request.clone(), metadata: request, ..ask_free("s", "t2", "t1") });
        lab.end(finish(&second, completed("gone-2")));
        assert!(lab.dump().join("\n").contains("secret"));
        for turn in ["t1", "t2"] {
            assert!(lab.delete_response(project(), id(turn), now()).wait().unwrap().response_deleted);
        }
        let dump = lab.dump().join("\n");
        for gone in ["gone-1", "gone-2", "secret"] {
            assert!(!dump.contains(gone), "{gone} is left:\n{dump}");
        }
        let session = lab.session(project(), id("s")).wait().unwrap().unwrap();
        assert_eq!((session.title, session.turns), (None, 2));
        assert!(lab.path(project(), id("s"), None, page(10)).wait().unwrap().messages.is_empty());
        // What continues them natively begins with what it says itself.
        let third = lab.start(ask("s", "t3"));
        assert_eq!(past(&third), [""; 0]);
        assert_eq!(lab.read_turn("t3").parent, Some(id("t2")));
    });
}

#[test]
fn a_title_that_somebody_gave_a_chain_stays() {
    on_every_engine(|lab| {
        let first = lab.start(Admit { free: true, ..ask_new("s", "t1") });
        lab.end(finish(&first, completed("a-t1")));
        let named = SessionChange { title: Some(Some("Plans".into())), ..SessionChange::default() };
        lab.change_session(project(), id("s"), named, now()).wait().unwrap();
        lab.delete_response(project(), id("t1"), now()).wait().unwrap();
        assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().title.as_deref(), Some("Plans"));
    });
}
