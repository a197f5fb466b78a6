//! A turn that calls tools keeps the lane free for the results.

use session::{lane::IfBusy, turn::Kind};
use store::{Admit, Admitted, Error, Input, InputMessage, NextUp, Parent};

use crate::support::*;

#[test]
fn the_lane_waits_for_results_before_it_goes_on_with_the_queue() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let ended = lab.end(finish(&first, called(&["x", "y"])));
        assert_eq!(next(&ended.next), format!("wait {HOLD_MS}"));
        assert_eq!(
            next(&lab.start_next(project(), id("s"), owner(), now()).wait().unwrap()),
            format!("wait {HOLD_MS}")
        );

        let results = lab.start(ask_results("s", "t3", &["x", "y"]));
        assert_eq!(past(&results), ["u-t1", ""]);
        assert_eq!(texts(&results.input), ["r-x", "r-y"]);
        assert_eq!(lab.read_turn("t3").kind, Kind::ToolResults);
        assert_eq!(next(&lab.end(finish(&results, completed("a3"))).next), "t2");
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|", "tool|r-x", "tool|r-y", "assistant|a3", "user|u-t2"]);
    });
}

#[test]
fn a_send_during_the_hold_waits_and_says_when_to_look_again() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        assert_eq!(next(&lab.end(finish(&first, called(&["x"]))).next), "nothing", "nobody waits yet");
        let admitted = lab.admit(ask("s", "t2")).wait().unwrap();
        let Admitted::Queued { position: 0, stop: None, look_again: Some(until), .. } = admitted else { panic!() };
        assert_eq!(until, later(HOLD_MS));
        let refused = lab.admit(ask_busy("s", "t3", IfBusy::Reject)).wait();
        assert!(matches!(refused, Err(Error::Busy { turn: Some(turn) }) if turn == id("t1")));

        assert_eq!(next(&lab.start_next(project(), id("s"), owner(), until.plus_ms(-1)).wait().unwrap()), "wait 60000");
        let NextUp::Started(second) = lab.start_next(project(), id("s"), owner(), until).wait().unwrap() else {
            panic!("the hold ran out")
        };
        assert_eq!(second.turn, id("t2"));
        lab.end(finish(&second, completed("a2")));
        assert!(matches!(lab.admit(ask_results("s", "t4", &["x"])).wait(), Err(Error::ToolCallsSuperseded)));
    });
}

#[test]
fn results_come_too_late_once_the_lane_has_gone_on() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x"])));
        let other = lab.admit(ask_busy("s", "t2", IfBusy::Interrupt)).wait().unwrap();
        let Admitted::Started(other) = other else { panic!() };
        let before = lab.dump();
        assert!(matches!(lab.admit(ask_results("s", "t3", &["x"])).wait(), Err(Error::ToolCallsSuperseded)));
        assert_eq!(lab.dump(), before);
        lab.end(finish(&other, completed("a")));
        assert!(matches!(lab.admit(ask_results("s", "t3", &["x"])).wait(), Err(Error::ToolCallsSuperseded)));
    });
}

#[test]
fn the_same_results_cannot_come_twice() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x"])));
        let results = lab.start(ask_results("s", "t2", &["x"]));
        assert!(matches!(lab.admit(ask_results("s", "t3", &["x"])).wait(), Err(Error::ToolCallsSuperseded)));
        lab.end(finish(&results, completed("a")));
        assert!(matches!(lab.admit(ask_results("s", "t3", &["x"])).wait(), Err(Error::ToolCallsSuperseded)));
    });
}

#[test]
fn what_is_said_along_with_results_answers_no_call() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x"])));
        let mut both = ask_results("s", "t2", &["x"]);
        let Input::ToolResults(input) = &mut both.input else { panic!() };
        input.extend(messages_of(ask("s", "t2")));
        let results = lab.start(both);
        assert_eq!(texts(&results.input), ["r-x", "u-t2"]);
        lab.end(finish(&results, completed("a2")));
    });
}

fn messages_of(ask: Admit) -> Vec<InputMessage> {
    let Input::Messages(messages) = ask.input else { panic!() };
    messages
}

#[test]
fn results_answer_calls_that_were_made() {
    on_every_engine(|lab| {
        lab.add_session("s");
        assert!(matches!(lab.admit(ask_results("s", "t1", &["x"])).wait(), Err(Error::NoToolCalls)));
        lab.say("s", "t1");
        assert!(matches!(lab.admit(ask_results("s", "t2", &["x"])).wait(), Err(Error::NoToolCalls)));
        let calling = lab.start(ask("s", "t2"));
        lab.end(finish(&calling, called(&["x"])));
        assert!(matches!(lab.admit(ask_results("s", "t3", &["x", "z"])).wait(), Err(Error::NoToolCalls)));
        lab.start(ask_results("s", "t3", &["x"]));
    });
}

#[test]
fn a_branch_can_answer_calls_that_the_lane_has_left_behind() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x"])));
        let other = lab.admit(ask_busy("s", "t2", IfBusy::Interrupt)).wait().unwrap();
        let Admitted::Started(other) = other else { panic!() };
        lab.end(finish(&other, completed("a")));
        let branch = Admit { parent: Parent::Turn(id("t1")), ..ask_results("s", "t3", &["x"]) };
        assert_eq!(past(&lab.start(branch)), ["u-t1", ""]);
    });
}

#[test]
fn a_hold_of_no_length_holds_nothing() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let mut end = finish(&first, called(&["x"]));
        end.hold_ms = 0;
        assert_eq!(next(&lab.end(end).next), "t2");
    });
}

#[test]
fn all_results_of_a_turn_are_retried_together() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x", "y"])));
        let results = lab.start(ask_results("s", "t2", &["x", "y"]));
        lab.end(finish(&results, failed()));
        let too_few = Input::Again { turn: id("t2"), ids: vec![id("only-one")] };
        let before = lab.dump();
        let refused = lab.admit(Admit { input: too_few, ..ask_again("s", "t3", "t2") }).wait();
        assert!(matches!(refused, Err(Error::Failed(why)) if why.contains("2 messages")));
        assert_eq!(lab.dump(), before);
        let again = lab.start(ask_again("s", "t3", "t2"));
        assert_eq!(
            (past(&again), texts(&again.input)),
            (vec!["u-t1".into(), "".into()], vec!["r-x".into(), "r-y".into()])
        );
    });
}
