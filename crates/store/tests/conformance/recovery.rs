//! Turns whose owner is gone.

use session::{
    event::{Event, EventId, PartKind},
    message::{Message, MessagePart},
    turn::{Reason, Status},
};
use store::{NextUp, Said, Segment, Source, Started, Takeover};

use crate::{events::shown, support::*};

#[test]
fn a_turn_that_had_said_nothing_runs_again_as_it_was() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let first = lab.start(ask("s", "t2"));
        lab.reopen();
        assert_eq!(lab.orphans(owner()).wait().unwrap(), []);
        assert_eq!(lab.orphans(id("new")).wait().unwrap(), [(project(), id("t2"))]);
        let again = run_again(take_over(lab, "t2", "new"));
        assert_eq!((again.epoch, again.attempts), (2, 1));
        assert_eq!((&again.past, &again.input), (&first.past, &first.input));
        assert_eq!(again.config.as_ref().unwrap().revision, 1);
        assert_eq!(lab.orphans(id("new")).wait().unwrap(), []);
        let mut end = finish(&again, completed("a-t2"));
        end.fence.owner = id("new");
        lab.end(end);
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a-t1", "user|u-t2", "assistant|a-t2"]);
        assert_eq!(shown(lab, "t2"), ["2.1 ended"]);
    });
}

#[test]
fn the_second_run_keeps_the_revision_and_the_window_of_the_first() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for n in 0..15 {
            lab.say("s", &format!("t{n}"));
        }
        let first = lab.start(ask("s", "t15"));
        let window = session::window::Window { messages: Some(2), tokens: None };
        let change = store::ConfigChange {
            config: session::config::Config { window, ..config() },
            origin: None,
            key: None,
            make_default: false,
            titles: None,
        };
        lab.change_config(project(), id("c"), 1, change, now()).wait().unwrap();
        let again = run_again(take_over(lab, "t15", "new"));
        assert_eq!((past(&again).len(), again.config.unwrap().revision), (past(&first).len(), 1));
    });
}

#[test]
fn a_turn_is_not_run_again_for_ever() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        assert_eq!(run_again(take_over(lab, "t1", "b")).epoch, 2);
        assert_eq!(run_again(take_over(lab, "t1", "c")).attempts, 2);
        let ended = ended(take_over(lab, "t1", "d"));
        assert_eq!((ended.turn.status, ended.turn.reason), (Status::Incomplete, Some(Reason::Interrupted)));
        assert!(ended.turn.answer.is_none());
        let NextUp::Started(second) = ended.next else { panic!("the lane goes on") };
        assert!(past(&second).is_empty());
        assert_eq!(shown(lab, "t1"), ["4.1 snapshot ", "4.2 ended"]);
    });
}

#[test]
fn what_was_stored_of_an_answer_is_kept_and_marked() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let begun = Segment { first_seq: 1, events: vec![Event::Started { model: "m-1".into(), attempt: 2 }] };
        lab.segment(fence(&first), begun, 2, Some([3; 32]), now()).wait().unwrap();
        lab.segment(fence(&first), segment(2, 0, &["hal", "f"]), 2, Some([3; 32]), now()).wait().unwrap();
        let ended = ended(take_over(lab, "t1", "new"));
        assert_eq!((ended.turn.status, ended.turn.reason), (Status::Incomplete, Some(Reason::Interrupted)));
        assert_eq!(ended.turn.answer.as_ref().unwrap().message, Message::assistant("half"));
        assert_eq!((ended.turn.attempts, ended.turn.model.as_deref()), (2, Some("m-1")));
        assert_eq!(ended.turn.answer, lab.read_turn("t1").answer);
        let NextUp::Started(second) = ended.next else { panic!("the lane goes on") };
        assert_eq!(past(&second), ["u-t1", "half"]);
        assert_eq!(lab.prompt(project(), id("t1")).wait().unwrap().unwrap().hash, Some([3; 32]));
        assert_eq!(lab.query("SELECT tokens FROM chat_messages WHERE id = 'late'"), ["77"]);
    });
}

#[test]
fn a_watcher_goes_on_with_a_snapshot_and_sees_no_number_twice() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.segment(fence(&first), segment(1, 0, &["ha", "l"]), 1, None, now()).wait().unwrap();
        // Shown as 1.3, but never stored: "f".
        let ended = ended(take_over(lab, "t1", "new"));
        assert_eq!(ended.turn.last, Some(EventId::new(2, 3)));
        let all = ["1.1 text ha", "1.2 text l", "2.1 snapshot hal", "2.2 message done", "2.3 ended"];
        assert_eq!(shown(lab, "t1"), all);
        let after = |cursor: &str| {
            let found = lab.events(project(), id("t1"), cursor.parse().unwrap()).wait().unwrap().unwrap();
            let ids: Vec<EventId> = found.events.iter().map(|event| event.id).collect();
            assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
            ids.iter().map(EventId::to_string).collect::<Vec<_>>()
        };
        assert_eq!(after("1.1"), ["1.2", "2.1", "2.2", "2.3"]);
        assert_eq!(after("1.3"), ["2.1", "2.2", "2.3"], "it saw more than was stored");
        assert_eq!(after("2.3"), [] as [&str; 0]);

        let keep = store::Retention { events_ms: 0, ..store::Retention::default() };
        assert!(lab.purge_all(keep, later(1)) > 0);
        assert_eq!(shown(lab, "t1"), ["2.1 snapshot hal", "2.3 ended"]);
    });
}

#[test]
fn a_part_that_was_whole_does_not_end_again() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        let mut said = segment(1, 0, &["whole"]);
        said.events.push(Event::PartDone { kind: PartKind::Message, index: 0 });
        lab.segment(fence(&first), said, 1, None, now()).wait().unwrap();
        ended(take_over(lab, "t1", "new"));
        assert_eq!(shown(lab, "t1"), ["1.1 text whole", "1.2 message done", "2.1 snapshot whole", "2.2 ended"]);
    });
}

#[test]
fn a_stored_beginning_without_a_word_is_no_answer() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        let begun = Segment { first_seq: 1, events: vec![Event::Started { model: "m".into(), attempt: 2 }] };
        lab.segment(fence(&first), begun, 2, None, now()).wait().unwrap();
        let again = run_again(take_over(lab, "t1", "new"));
        assert_eq!(again.attempts, 2, "as the first owner counted");
    });
}

#[test]
fn of_two_that_want_a_turn_one_gets_it() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        assert!(matches!(take_over(lab, "t1", "me"), Takeover::Nothing), "its own");
        let before = lab.dump();
        assert!(matches!(take_over(lab, "t2", "new"), Takeover::Nothing), "not running");
        assert!(matches!(take_over(lab, "t9", "new"), Takeover::Nothing));
        assert_eq!(lab.dump(), before);
        run_again(take_over(lab, "t1", "new"));
        assert!(matches!(take_over(lab, "t1", "new"), Takeover::Nothing));
    });
}

#[test]
fn lanes_with_a_queue_are_found() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.start(ask_new("r", "r1"));
        for turn in ["r2", "r3"] {
            lab.queue_up(ask("r", turn));
        }
        assert_eq!(lab.queued_lanes().wait().unwrap(), [(project(), id("r"))]);
    });
}

#[test]
fn a_turn_of_a_deleted_session_is_ended_not_run_again() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        assert_eq!(lab.orphans(id("new")).wait().unwrap(), [(project(), id("t1"))]);
        let ended = ended(take_over(lab, "t1", "new"));
        assert_eq!((ended.turn.status, next(&ended.next).as_str()), (Status::Incomplete, "nothing"));
    });
}

#[test]
fn a_turn_whose_message_was_deleted_is_ended_not_run_again() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        let said = Said { source: Source::Input(id("u-t1")), part: MessagePart::Text };
        lab.delete_said(project(), id("s"), said, now()).wait().unwrap();
        let ended = ended(take_over(lab, "t1", "new"));
        assert_eq!((ended.turn.status, ended.turn.answer), (Status::Incomplete, None));
    });
}

#[test]
fn a_panic_in_a_verb_is_that_verbs_failure() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.segment(fence(&first), segment(1, 0, &["x"]), 1, None, now()).wait().unwrap();
        let before = lab.dump();
        let broken = lab.take_over(project(), id("t1"), id("new"), 3, id("m"), |_| panic!("on purpose"), now());
        assert!(matches!(broken.wait(), Err(store::Error::Failed(_))));
        assert_eq!(lab.dump(), before);
        lab.end(finish(&first, completed("x")));
    });
}

fn take_over(lab: &Lab, turn: &str, owner: &str) -> Takeover {
    lab.take_over(project(), id(turn), id(owner), 3, id("late"), |_| 77, now()).wait().unwrap()
}

fn run_again(taken: Takeover) -> Started {
    match taken {
        Takeover::Again(started) => *started,
        other => panic!("{other:?}"),
    }
}

fn ended(taken: Takeover) -> store::Finished {
    match taken {
        Takeover::Ended(ended) => *ended,
        other => panic!("{other:?}"),
    }
}
