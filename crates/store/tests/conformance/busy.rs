//! Sends to a lane that is not free, and what can be done with turns that wait.

use session::{
    lane::{IfBusy, OnFailure},
    message::Message,
    turn::Status,
};
use store::{Admit, Admitted, Cancelled, Edit, Error, NextUp};

use crate::support::*;

#[test]
fn a_send_that_may_not_wait_is_told_what_is_in_the_way() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        let before = lab.dump();
        let refused = lab.admit(ask_busy("s", "t2", IfBusy::Reject)).wait();
        assert!(matches!(refused, Err(Error::Busy { turn: Some(turn) }) if turn == id("t1")));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn a_queue_has_a_bound() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        let bounded = |turn: &str| Admit { queue_max: 2, ..ask("s", turn) };
        assert_eq!(lab.queue_up(bounded("t2")), 0);
        assert_eq!(lab.queue_up(bounded("t3")), 1);
        let before = lab.dump();
        assert!(matches!(lab.admit(bounded("t4")).wait(), Err(Error::QueueFull { max: 2 })));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn an_interrupting_send_goes_to_the_front_and_names_the_turn_to_stop() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let admitted = lab.admit(ask_busy("s", "t3", IfBusy::Interrupt)).wait().unwrap();
        let Admitted::Queued { position: 0, stop: Some(stop), .. } = admitted else { panic!("{admitted:?}") };
        assert_eq!(stop, id("t1"));
        assert_eq!(lab.queue_of("s"), ["t3", "t2"]);
        let mut end = finish(&first, cancelled(Some("half")));
        end.interrupted = true;
        assert_eq!(next(&lab.end(end).next), "t3");
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|half", "user|u-t3"]);
    });
}

#[test]
fn an_interruption_does_not_pause_a_lane_that_pauses_on_failure() {
    on_every_engine(|lab| {
        let pausing = store::NewSession { on_failure: OnFailure::Pause, ..new_session("s") };
        lab.create_session(project(), pausing, None, now()).wait().unwrap();
        let first = lab.start(ask("s", "t1"));
        lab.admit(ask_busy("s", "t2", IfBusy::Interrupt)).wait().unwrap();
        let mut end = finish(&first, cancelled(None));
        end.interrupted = true;
        assert_eq!(next(&lab.end(end).next), "t2");
    });
}

#[test]
fn queued_turns_can_be_moved() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        for turn in ["t2", "t3", "t4"] {
            lab.queue_up(ask("s", turn));
        }
        let move_to = |turn: &str, position| {
            let edit = Edit { message: None, position: Some(position) };
            lab.edit(project(), id(turn), edit).wait().unwrap();
            lab.queue_of("s")
        };
        assert_eq!(move_to("t4", 0), ["t4", "t2", "t3"]);
        assert_eq!(move_to("t4", 1), ["t2", "t4", "t3"]);
        assert_eq!(move_to("t2", 99), ["t4", "t3", "t2"]);
        assert_eq!(lab.queue_up(ask("s", "t5")), 3);
        lab.admit(ask_busy("s", "t6", IfBusy::Interrupt)).wait().unwrap();
        assert_eq!(lab.queue_of("s"), ["t6", "t4", "t3", "t2", "t5"]);
        let mut running = first;
        let mut order = Vec::new();
        while let NextUp::Started(next) = lab.end(finish(&running, completed("a"))).next {
            order.push(next.turn.to_string());
            running = *next;
        }
        assert_eq!(order, ["t6", "t4", "t3", "t2", "t5"]);
    });
}

#[test]
fn a_queued_turn_can_be_rewritten_without_trace() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let message = store::InputMessage { tokens: 5, ..input("u-t2-b", Message::user("better")) };
        let edited = lab.edit(project(), id("t2"), Edit { message: Some(message), position: None }).wait().unwrap();
        assert_eq!(edited.input[0].message, Message::user("better"));
        assert!(!lab.dump().iter().any(|row| row.contains("u-t2|") || row.contains("\"u-t2\"")));
        lab.end(finish(&first, completed("a1")));
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a1", "user|better"]);

        let too_late = Edit { message: None, position: Some(0) };
        for started in ["t1", "t2"] {
            let refused = lab.edit(project(), id(started), too_late.clone()).wait();
            assert!(matches!(refused, Err(Error::AlreadyStarted)), "{started}");
        }
        assert!(matches!(lab.edit(project(), id("t9"), too_late).wait(), Err(Error::TurnNotFound)));
    });
}

#[test]
fn only_what_somebody_typed_can_be_rewritten() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, called(&["x"])));
        lab.admit(ask_busy("s", "t2", IfBusy::Interrupt)).wait().unwrap();
        let results = Admit { parent: store::Parent::Turn(id("t1")), ..ask_results("s", "t3", &["x"]) };
        assert_eq!(lab.queue_up(results), 0);
        let edit = |message, position| lab.edit(project(), id("t3"), Edit { message, position }).wait();
        let message = input("m", Message::user("m"));
        assert!(matches!(edit(Some(message), None), Err(Error::NotEditable)));
        edit(None, Some(0)).unwrap();
    });
}

#[test]
fn a_turn_cancelled_while_it_waits_is_never_run_and_leaves_no_message() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        let Cancelled::Done(turn) = lab.cancel(project(), id("t2"), later(5)).wait().unwrap() else { panic!() };
        assert_eq!((turn.status, turn.number), (Status::Cancelled, None));
        assert_eq!((turn.ended_at, turn.timing.queued_ms), (Some(later(5)), 5));
        assert!(matches!(lab.cancel(project(), id("t2"), now()).wait(), Ok(Cancelled::Before(_))));
        assert_eq!(lab.queue_of("s"), ["t3"]);

        let ended = lab.end(finish(&first, completed("a1")));
        let NextUp::Started(third) = ended.next else { panic!() };
        assert_eq!((third.turn.as_str(), past(&third)), ("t3", vec!["u-t1".into(), "a1".into()]));
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a1", "user|u-t3"]);
        assert!(matches!(lab.cancel(project(), id("t9"), now()).wait(), Err(Error::TurnNotFound)));
    });
}

#[test]
fn a_running_turn_is_its_owners_to_stop() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        let before = lab.dump();
        assert!(matches!(lab.cancel(project(), id("t1"), now()).wait(), Ok(Cancelled::Running)));
        assert_eq!(lab.dump(), before);
        lab.end(finish(&started, cancelled(None)));
        let Cancelled::Before(turn) = lab.cancel(project(), id("t1"), now()).wait().unwrap() else { panic!() };
        assert_eq!(turn.status, Status::Cancelled);
    });
}

#[test]
fn cancel_and_start_of_one_turn_are_settled_by_their_order() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let (ended, cancel) = (lab.finish(finish(&first, completed("a"))), lab.cancel(project(), id("t2"), now()));
        assert_eq!(next(&ended.wait().unwrap().next), "t2");
        assert!(matches!(cancel.wait(), Ok(Cancelled::Running)));

        let second = lab.start(ask_new("r", "r1"));
        lab.queue_up(ask("r", "r2"));
        let (cancel, ended) = (lab.cancel(project(), id("r2"), now()), lab.finish(finish(&second, completed("a"))));
        assert!(matches!(cancel.wait(), Ok(Cancelled::Done(_))));
        assert_eq!(next(&ended.wait().unwrap().next), "nothing");
    });
}
