//! One turn after another: what starts next, what pauses a lane, and what never runs twice.

use session::{
    lane::{IfBusy, OnFailure},
    turn::Status,
};
use store::{Admitted, NextUp, SessionChange, Takeover};

use crate::support::*;

#[test]
fn the_end_of_a_turn_starts_the_next_in_the_same_transaction() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let before = lab.stats().commits();
        let ended = lab.end(finish(&first, completed("a1")));
        assert_eq!(lab.stats().commits() - before, 1);
        assert_eq!(ended.turn.status, Status::Completed);
        assert_eq!(ended.turn.answer.unwrap().message.content.text(), "a1");
        assert_eq!(next(&ended.next), "t2");
        assert_eq!(lab.read_turn("t2").status, Status::Running);
    });
}

#[test]
fn an_owner_that_is_about_to_leave_starts_nothing() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let mut end = finish(&first, completed("a1"));
        end.go_on = false;
        assert_eq!(next(&lab.end(end).next), "nothing");
        assert_eq!(lab.queued_lanes().wait().unwrap(), [(project(), id("s"))]);
        assert_eq!(next(&lab.start_next(project(), id("s"), id("other"), now()).wait().unwrap()), "t2");
    });
}

#[test]
fn the_database_itself_lets_one_turn_of_a_lane_run() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let refused = lab.execute("UPDATE chat_turns SET status = 'running' WHERE id = 't2'").unwrap_err();
        assert!(refused.to_lowercase().contains("unique"), "{refused}");
        lab.execute("UPDATE chat_turns SET number = 1 WHERE id = 't2'").unwrap_err();
    });
}

#[test]
fn lanes_of_different_sessions_run_side_by_side() {
    on_every_engine(|lab| {
        let runs: Vec<_> = (0..5).map(|n| lab.start(ask_new(&format!("s{n}"), &format!("t{n}")))).collect();
        for run in &runs {
            lab.end(finish(run, completed(&format!("answer to {}", run.turn))));
        }
        for n in 0..5 {
            assert_eq!(lab.said(&format!("s{n}")), [format!("user|u-t{n}"), format!("assistant|answer to t{n}")]);
        }
    });
}

#[test]
fn a_failure_pauses_the_queue_of_a_session_that_asks_for_it() {
    on_every_engine(|lab| {
        let pausing = store::NewSession { on_failure: OnFailure::Pause, ..new_session("s") };
        lab.create_session(project(), pausing, None, now()).wait().unwrap();
        let first = lab.start(ask("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        assert_eq!(next(&lab.end(finish(&first, failed())).next), "nothing");
        let paused = || lab.session(project(), id("s")).wait().unwrap().unwrap().paused;
        assert!(paused());
        assert_eq!(next(&lab.start_next(project(), id("s"), owner(), now()).wait().unwrap()), "nothing");
        assert_eq!(lab.queue_up(ask("s", "t4")), 2, "a send waits with the others");

        // What continues the turn before does not wait, and leaves the pause as it is.
        let retry = lab.start(ask_again("s", "r1", "t1"));
        assert_eq!(next(&lab.end(finish(&retry, completed("a"))).next), "nothing");
        assert!(paused());

        let resumed = lab.resume(project(), id("s"), owner(), now()).wait().unwrap();
        assert_eq!(next(&resumed), "t2");
        assert!(!paused());
        let NextUp::Started(second) = resumed else { panic!() };
        assert_eq!(next(&lab.end(finish(&second, completed("a"))).next), "t3");
    });
}

#[test]
fn a_pause_ends_with_the_queue_it_was_for() {
    on_every_engine(|lab| {
        let pausing = store::NewSession { on_failure: OnFailure::Pause, ..new_session("s") };
        lab.create_session(project(), pausing, None, now()).wait().unwrap();
        let paused = || lab.session(project(), id("s")).wait().unwrap().unwrap().paused;
        let first = lab.start(ask("s", "t1"));
        lab.end(finish(&first, failed()));
        assert!(!paused(), "nobody waits");

        let second = lab.start(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        lab.end(finish(&second, failed()));
        assert!(paused());
        lab.cancel(project(), id("t3"), now()).wait().unwrap();
        assert!(!paused());
        let fourth = lab.start(ask("s", "t4"));
        lab.queue_up(ask("s", "t5"));
        assert_eq!(next(&lab.end(finish(&fourth, completed("a"))).next), "t5");
    });
}

#[test]
fn a_lane_that_does_not_pause_goes_on_after_a_failure() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let ended = lab.end(finish(&first, failed()));
        let NextUp::Started(second) = ended.next else { panic!() };
        assert!(past(&second).is_empty(), "a failed turn without text is not part of later histories");
        assert_eq!(lab.read_turn("t2").parent, Some(id("t1")), "but it is where the session stands");
    });
}

#[test]
fn whatever_ended_the_turn_the_head_moves() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for (turn, outcome) in
            [("t1", completed("a")), ("t2", failed()), ("t3", cancelled(None)), ("t4", cut_short("half"))]
        {
            let started = lab.start(ask("s", turn));
            lab.end(finish(&started, outcome));
            assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().head, Some(id(turn)));
        }
    });
}

#[test]
fn a_moved_head_is_what_the_next_send_continues() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.say("s", "t2");
        let to = |head: Option<&str>| SessionChange { head: Some(head.map(id)), ..SessionChange::default() };
        lab.change_session(project(), id("s"), to(Some("t1")), now()).wait().unwrap();
        let started = lab.start(ask("s", "t3"));
        assert_eq!(past(&started), ["u-t1", "a-t1"]);
        let refused = lab.change_session(project(), id("s"), to(None), now()).wait();
        assert!(matches!(refused, Err(store::Error::Busy { turn: Some(turn) }) if turn == id("t3")));
        lab.end(finish(&started, completed("a")));
        let refused = lab.change_session(project(), id("s"), to(Some("nothing")), now()).wait();
        assert!(matches!(refused, Err(store::Error::TurnNotFound)));
        lab.change_session(project(), id("s"), to(None), now()).wait().unwrap();
        assert!(past(&lab.start(ask("s", "t4"))).is_empty());
    });
}

#[test]
fn nothing_starts_in_a_lane_that_is_not_free() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let before = lab.dump();
        assert_eq!(next(&lab.start_next(project(), id("s"), owner(), now()).wait().unwrap()), "nothing");
        assert_eq!(next(&lab.start_next(project(), id("nowhere"), owner(), now()).wait().unwrap()), "nothing");
        assert_eq!(next(&lab.resume(project(), id("s"), owner(), now()).wait().unwrap()), "nothing");
        assert!(matches!(
            lab.resume(project(), id("nowhere"), owner(), now()).wait(),
            Err(store::Error::SessionNotFound)
        ));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn interrupting_an_idle_lane_is_an_ordinary_send() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let admitted = lab.admit(ask_busy("s", "t1", IfBusy::Interrupt)).wait().unwrap();
        assert!(matches!(admitted, Admitted::Started(_)));
    });
}

#[test]
fn a_queued_turn_whose_past_cannot_be_read_starts_to_fail_and_holds_nobody_up() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let second = lab.start(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        lab.queue_up(ask_after("s", "t4", None));
        lab.execute("UPDATE chat_messages SET role = 'nobody' WHERE turn_id = 't1'").unwrap();
        let NextUp::Started(third) = lab.end(finish(&second, completed("a2"))).next else { panic!("it has to end") };
        assert!(third.past.is_err());
        assert_eq!(lab.read_turn("t2").status, Status::Completed);
        // Before it has failed, the server is gone: nobody is asked with less than the policy says.
        lab.reopen();
        let taken = lab.take_over(project(), id("t3"), id("new"), 3, id("late"), |_| 77, now()).wait().unwrap();
        let Takeover::Again(again) = taken else { panic!() };
        assert!(again.past.is_err());
        let mut end = finish(&again, failed());
        end.fence.owner = id("new");
        let NextUp::Started(fourth) = lab.end(end).next else { panic!() };
        assert_eq!(past(&fourth), [""; 0], "it begins anew");
    });
}
