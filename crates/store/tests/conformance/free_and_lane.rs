//! Free turns and the lane of their session do not wait for each other.

use session::{
    lane::{IfBusy, OnFailure},
    turn::Status,
};
use store::{Admit, Admitted, Edit, Error, Finish, NextUp, Session, SessionChange};

use crate::support::*;

/// A chain `s` where the free turn `f1` runs.
fn chain(lab: &Lab) -> store::Started {
    lab.start(ask_chain("s", "f1"))
}

fn session(lab: &Lab) -> Session {
    lab.session(project(), id("s")).wait().unwrap().unwrap()
}

#[test]
fn the_lane_runs_one_turn_at_a_time_beside_free_ones() {
    on_every_engine(|lab| {
        let free = chain(lab);
        let first = lab.start(ask("s", "l1"));
        assert_eq!(lab.queue_up(ask("s", "l2")), 0, "free turns are none that it counts");
        assert_eq!(lab.queue_up(ask_free("s", "f2", "f1")), 0, "nor do those wait for the lane");
        assert_eq!(lab.queue_up(ask("s", "l3")), 1);

        let ended = lab.end(finish(&free, completed("a-f1")));
        assert_eq!((next(&ended.next).as_str(), children(&ended)), ("nothing", vec!["f2".into()]));
        let ended = lab.end(finish(&first, completed("a-l1")));
        assert_eq!((next(&ended.next).as_str(), ended.children.len()), ("l2", 0));
        let refused = lab.execute("UPDATE chat_turns SET status = 'running' WHERE id = 'l3'").unwrap_err();
        assert!(refused.to_lowercase().contains("unique"), "{refused}");
    });
}

#[test]
fn a_free_turn_waits_for_a_parent_in_the_lane_too() {
    on_every_engine(|lab| {
        let free = chain(lab);
        lab.end(finish(&free, completed("a-f1")));
        let first = lab.start(ask("s", "l1"));
        lab.queue_up(ask("s", "l2"));
        lab.queue_up(ask_free("s", "f2", "l1"));
        let ended = lab.end(finish(&first, completed("a-l1")));
        assert_eq!((next(&ended.next).as_str(), children(&ended)), ("l2", vec!["f2".into()]));
        assert_eq!(past(&ended.children[0]), ["u-f1", "a-f1", "u-l1", "a-l1"]);
    });
}

#[test]
fn a_free_turn_neither_pauses_nor_holds_nor_frees_the_lane() {
    on_every_engine(|lab| {
        let pause = SessionChange { on_failure: Some(OnFailure::Pause), ..SessionChange::default() };
        let free = chain(lab);
        lab.change_session(project(), id("s"), pause, now()).wait().unwrap();
        // It fails while somebody waits in the lane.
        let first = lab.start(ask("s", "l1"));
        lab.queue_up(ask("s", "l2"));
        lab.end(finish(&free, failed()));
        assert!(!session(lab).paused);
        // It calls tools: no hold.
        let calling = lab.start(ask_free("s", "f2", "f1"));
        assert_eq!(next(&lab.end(finish(&calling, called(&["x"]))).next), "nothing");
        let ended = lab.end(finish(&first, called(&["y"])));
        assert_eq!(next(&ended.next), format!("wait {HOLD_MS}"), "the lane's own calls hold it");
        // It starts and ends while the lane is held, and then paused.
        let beside = lab.start(ask_free("s", "f3", "f2"));
        let waiting = lab.admit(ask_free("s", "f5", "f3")).wait().unwrap();
        assert!(matches!(waiting, Admitted::Queued { look_again: None, .. }), "it does not wait for the hold");
        assert_eq!(next(&lab.end(finish(&beside, completed("a"))).next), "nothing");
        let held = lab.start_next(project(), id("s"), owner(), now()).wait().unwrap();
        assert_eq!(next(&held), format!("wait {HOLD_MS}"));
        let NextUp::Started(second) = lab.start_next(project(), id("s"), owner(), later(HOLD_MS)).wait().unwrap()
        else {
            panic!()
        };
        lab.queue_up(ask("s", "l3"));
        lab.end(finish(&second, failed()));
        assert!(session(lab).paused);
        let beside = lab.start(ask_free("s", "f4", "f3"));
        assert_eq!(next(&lab.end(finish(&beside, completed("a"))).next), "nothing");
        assert!(session(lab).paused);
    });
}

#[test]
fn a_pause_is_shown_while_somebody_waits_in_the_lane_and_not_for_a_free_turn() {
    on_every_engine(|lab| {
        let free = chain(lab);
        let pause = SessionChange { on_failure: Some(OnFailure::Pause), ..SessionChange::default() };
        lab.change_session(project(), id("s"), pause, now()).wait().unwrap();
        let first = lab.start(ask("s", "l1"));
        lab.queue_up(ask("s", "l2"));
        lab.queue_up(ask_free("s", "f2", "f1"));
        lab.end(finish(&first, failed()));
        assert!(session(lab).paused);
        lab.cancel(project(), id("l2"), now()).wait().unwrap();
        assert!(!session(lab).paused);
        assert_eq!(children(&lab.end(finish(&free, completed("a")))), ["f2"]);
    });
}

#[test]
fn a_turn_of_the_lane_waits_for_a_free_one_that_it_continues() {
    on_every_engine(|lab| {
        let free = chain(lab);
        let refused = lab.admit(Admit { if_busy: IfBusy::Reject, ..ask_after("s", "l1", Some("f1")) }).wait();
        assert!(matches!(refused, Err(Error::Busy { turn: Some(turn) }) if turn == id("f1")));
        let Admitted::Queued { position: 0, free: false, parent, stop: None, .. } =
            lab.admit(ask_after("s", "l1", Some("f1"))).wait().unwrap()
        else {
            panic!()
        };
        assert_eq!(parent, Some(id("f1")));
        assert_eq!(lab.queue_up(ask("s", "l2")), 1, "the lane keeps its order");
        lab.queue_up(ask_free("s", "f2", "f1"));
        assert_eq!(next(&lab.start_next(project(), id("s"), owner(), now()).wait().unwrap()), "nothing");

        let ended = lab.end(finish(&free, completed("a-f1")));
        assert_eq!((next(&ended.next).as_str(), children(&ended)), ("l1", vec!["f2".into()]));
        let NextUp::Started(first) = ended.next else { panic!() };
        assert_eq!(past(&first), ["u-f1", "a-f1"]);
        assert_eq!(next(&lab.end(finish(&first, completed("a-l1"))).next), "l2");
    });
}

#[test]
fn the_end_of_a_turn_of_the_lane_starts_nothing_that_waits_for_a_free_one() {
    on_every_engine(|lab| {
        let free = chain(lab);
        let first = lab.start(ask("s", "l1"));
        lab.queue_up(ask_after("s", "l2", Some("f1")));
        assert_eq!(next(&lab.end(finish(&first, completed("a"))).next), "nothing");
        // What goes before the queue goes before one that waits, too.
        let front = lab.start(ask_again("s", "l3", "l1"));
        assert_eq!(next(&lab.end(finish(&front, completed("a"))).next), "nothing");
        assert_eq!(next(&lab.end(finish(&free, completed("a"))).next), "l2");
    });
}

#[test]
fn what_stands_behind_a_turn_that_waits_for_a_free_one_goes_on_when_that_is_withdrawn_or_moved() {
    on_every_engine(|lab| {
        let free = chain(lab);
        lab.queue_up(ask_after("s", "l1", Some("f1")));
        lab.queue_up(ask_free("s", "f2", "f1"));
        lab.queue_up(ask("s", "l2"));
        lab.queue_up(ask("s", "l3"));
        lab.edit(project(), id("l3"), Edit { message: None, position: Some(1) }).wait().unwrap();
        assert_eq!(lab.queue_of("s"), ["l1", "f2", "l3", "l2"], "places are those of the lane's turns");
        lab.edit(project(), id("l2"), Edit { message: None, position: Some(9) }).wait().unwrap();
        lab.edit(project(), id("l3"), Edit { message: None, position: Some(0) }).wait().unwrap();
        assert_eq!(lab.queue_of("s"), ["l3", "l1", "f2", "l2"]);
        let start_next = || lab.start_next(project(), id("s"), owner(), now()).wait().unwrap();
        let NextUp::Started(third) = start_next() else { panic!() };
        assert_eq!(next(&lab.end(finish(&third, completed("a"))).next), "nothing");
        lab.cancel(project(), id("l1"), now()).wait().unwrap();
        assert_eq!(next(&start_next()), "l2");
        assert_eq!(children(&lab.end(finish(&free, completed("a")))), ["f2"]);
    });
}

#[test]
fn interrupting_a_free_turn_to_continue_it_stops_it() {
    on_every_engine(|lab| {
        let free = chain(lab);
        for ask in [ask_after("s", "l1", Some("f1")), ask_free("s", "f2", "f1")] {
            let admitted = lab.admit(Admit { if_busy: IfBusy::Interrupt, ..ask }).wait().unwrap();
            let Admitted::Queued { stop, .. } = admitted else { panic!() };
            assert_eq!(stop, Some(id("f1")));
        }
        let ended = lab.end(Finish { interrupted: true, ..finish(&free, cancelled(Some("half"))) });
        assert_eq!((next(&ended.next).as_str(), children(&ended)), ("l1", vec!["f2".into()]));
        assert_eq!(past(&ended.children[0]), ["u-f1", "half"]);
    });
}

#[test]
fn a_session_shows_its_lanes_turn_before_free_ones_and_of_those_the_last() {
    on_every_engine(|lab| {
        let first = chain(lab);
        assert_eq!(session(lab).running, Some(id("f1")));
        lab.end(finish(&first, completed("a")));
        let runs = ["f2", "f3"].map(|turn| lab.start(ask_free("s", turn, "f1")));
        assert_eq!(session(lab).running, Some(id("f3")));
        let lane = lab.start(ask("s", "l1"));
        lab.start(ask_free("s", "f4", "f1"));
        assert_eq!(session(lab).running, Some(id("l1")));
        // The head moves when they end, so nobody else moves it before.
        let moved = SessionChange { head: Some(None), ..SessionChange::default() };
        lab.end(finish(&lane, completed("a")));
        let refused = lab.change_session(project(), id("s"), moved, now()).wait();
        assert!(matches!(refused, Err(Error::Busy { turn: Some(turn) }) if turn == id("f4")));
        lab.end(finish(&runs[0], completed("a")));
        assert_eq!((session(lab).running, session(lab).head), (Some(id("f4")), Some(id("f2"))));
    });
}

#[test]
fn deleting_a_session_stops_all_that_runs_there_and_cancels_all_that_waits() {
    on_every_engine(|lab| {
        let first = chain(lab);
        lab.end(finish(&first, completed("a")));
        let runs = [ask("s", "l1"), ask_free("s", "f2", "f1"), ask_free("s", "f3", "f1")].map(|ask| lab.start(ask));
        lab.queue_up(ask_free("s", "f4", "f2"));
        lab.queue_up(ask("s", "l2"));
        let (mut stop, withdrawn) = lab.delete_session(project(), id("s"), now()).wait().unwrap();
        stop.sort();
        assert_eq!(stop, [id("f2"), id("f3"), id("l1")]);
        let withdrawn: Vec<_> = withdrawn.iter().map(|turn| (turn.id.as_str(), turn.status)).collect();
        assert_eq!(withdrawn, [("f4", Status::Cancelled), ("l2", Status::Cancelled)]);
        // It is not purged before they have ended.
        let at_once = store::Retention { events_ms: 0, idempotency_ms: 0, deleted_ms: 0 };
        for run in runs {
            assert_eq!(lab.purge_all(at_once, later(1)), 0);
            let ended = lab.end(finish(&run, cancelled(None)));
            assert_eq!((next(&ended.next).as_str(), ended.children.len()), ("nothing", 0));
        }
        assert!(lab.purge_all(at_once, later(1)) > 0);
        assert_eq!(lab.query("SELECT count(*) FROM chat_turns"), ["0"]);
    });
}
