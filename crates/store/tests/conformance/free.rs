//! Free turns: what continues one turn of a chain runs together, each as soon as that one has ended.

use session::{event::EventId, message::Message, turn::Status};
use store::{Admit, Admitted, Cancelled, Error, Finish, Started};

use crate::{events::shown, support::*};

/// A chain `s` whose first turn `t1` has ended.
fn chain(lab: &Lab) {
    let first = lab.start(ask_chain("s", "t1"));
    lab.end(finish(&first, completed("a-t1")));
}

fn say_free(lab: &Lab, turn: &str, parent: &str) {
    let started = lab.start(ask_free("s", turn, parent));
    lab.end(finish(&started, completed(&format!("a-{turn}"))));
}

#[test]
fn children_of_one_turn_run_together_each_with_its_parents_history() {
    on_every_engine(|lab| {
        chain(lab);
        let children = ["t2", "t3", "t4"].map(|turn| lab.start(ask_free("s", turn, "t1")));
        for child in &children {
            assert!(child.free);
            assert_eq!(past(child), ["u-t1", "a-t1"]);
            assert_eq!(lab.read_turn(child.turn.as_str()).status, Status::Running);
        }
        // Their ends come in another order than their starts, and each moves the head.
        for (child, number) in children.iter().zip([2, 3, 4]).rev() {
            let ended = lab.end(finish(child, completed(&format!("a-{}", child.turn))));
            assert_eq!((ended.turn.number, ended.turn.parent), (Some(number), Some(id("t1"))));
            assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().head, Some(child.turn.clone()));
        }
        assert_eq!(past(&lab.start(ask_free("s", "t5", "t3"))), ["u-t1", "a-t1", "u-t3", "a-t3"]);
    });
}

#[test]
fn the_children_of_a_running_turn_start_in_the_transaction_that_ends_it() {
    on_every_engine(|lab| {
        chain(lab);
        let parent = lab.start(ask_free("s", "t2", "t1"));
        let other = lab.start(ask_free("s", "t3", "t1"));
        for (turn, of) in [("t4", "t2"), ("t5", "t3"), ("t6", "t2")] {
            assert_eq!(lab.queue_up(ask_free("s", turn, of)), 0, "only its parent stands before it");
            assert_eq!(lab.read_turn(turn).status, Status::Queued);
        }
        assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().queued, 3);
        assert_eq!(lab.queue_of("s"), ["t4", "t5", "t6"]);

        let before = lab.stats().commits();
        let ended = lab.end(finish(&parent, completed("a-t2")));
        assert_eq!(lab.stats().commits() - before, 1);
        assert_eq!((children(&ended), next(&ended.next).as_str()), (vec!["t4".into(), "t6".into()], "nothing"));
        for child in &ended.children {
            assert_eq!(past(child), ["u-t1", "a-t1", "u-t2", "a-t2"], "with the answer it waited for");
            assert_eq!(child.waited_at, Some(0));
        }
        let numbers = ["t4", "t5", "t6"].map(|turn| lab.read_turn(turn).number);
        assert_eq!(numbers, [Some(4), None, Some(5)]);
        assert_eq!(lab.queue_of("s"), ["t5"]);
        let ended = lab.end(finish(&other, failed()));
        assert_eq!(children(&ended), ["t5"], "however it ended");
        assert_eq!(past(&ended.children[0]), ["u-t1", "a-t1"]);
    });
}

#[test]
fn an_answer_to_calls_of_a_free_turn_starts_at_once() {
    on_every_engine(|lab| {
        let first = lab.start(ask_chain("s", "t1"));
        let early = Admit { free: true, parent: store::Parent::Turn(id("t1")), ..ask_results("s", "t2", &["x"]) };
        assert!(matches!(lab.admit(early.clone()).wait(), Err(Error::NotEnded)));
        assert_eq!(next(&lab.end(finish(&first, called(&["x"]))).next), "nothing");
        // Nobody waits for the results of a free turn, the lane neither.
        let beside = lab.start(ask("s", "t3"));
        assert!(!beside.free);
        let results = lab.start(early);
        assert_eq!(past(&results), ["u-t1", ""]);
    });
}

#[test]
fn a_parent_that_waits_itself_is_refused_and_one_that_is_unknown_too() {
    on_every_engine(|lab| {
        chain(lab);
        lab.start(ask_free("s", "t2", "t1"));
        lab.queue_up(ask_free("s", "t3", "t2"));
        let before = lab.dump();
        assert!(matches!(lab.admit(ask_free("s", "t4", "t3")).wait(), Err(Error::ParentNotStarted)));
        assert!(matches!(lab.admit(ask_free("s", "t4", "none")).wait(), Err(Error::TurnNotFound)));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn no_more_free_turns_wait_in_a_session_than_its_queue_takes() {
    on_every_engine(|lab| {
        chain(lab);
        let parent = lab.start(ask_free("s", "t2", "t1"));
        let bounded = |turn: &str, parent: &str| Admit { queue_max: 2, ..ask_free("s", turn, parent) };
        lab.queue_up(bounded("t3", "t2"));
        lab.queue_up(bounded("t4", "t2"));
        assert!(matches!(lab.admit(bounded("t5", "t2")).wait(), Err(Error::QueueFull { max: 2 })));
        lab.start(bounded("t6", "t1"));
        // The lane counts its own.
        lab.start(Admit { queue_max: 1, ..ask("s", "l1") });
        assert_eq!(lab.queue_up(Admit { queue_max: 1, ..ask("s", "l2") }), 0);
        lab.end(finish(&parent, completed("a")));
        lab.queue_up(bounded("t7", "t6"));
    });
}

#[test]
fn a_free_turn_that_waits_can_be_cancelled_and_changed_but_has_no_place_to_be_moved_to() {
    on_every_engine(|lab| {
        chain(lab);
        let parent = lab.start(ask_free("s", "t2", "t1"));
        lab.queue_up(ask_free("s", "t3", "t2"));
        lab.queue_up(ask_free("s", "t4", "t2"));
        assert_eq!(shown(lab, "t3"), ["0.1 queued 0"]);
        let Cancelled::Done(cancelled) = lab.cancel(project(), id("t3"), now()).wait().unwrap() else { panic!() };
        assert_eq!((cancelled.status, cancelled.last), (Status::Cancelled, Some(EventId::new(0, 2))));
        let edit = |message: Option<&str>, position| store::Edit {
            message: message.map(|text| input("edited", Message::user(text))),
            position,
        };
        let moved = lab.edit(project(), id("t4"), edit(Some("x"), Some(0))).wait();
        assert!(matches!(moved, Err(Error::NotInQueue)));
        lab.edit(project(), id("t4"), edit(Some("other words"), None)).wait().unwrap();
        let ended = lab.end(finish(&parent, completed("a-t2")));
        assert_eq!(children(&ended), ["t4"]);
        assert_eq!(texts(&ended.children[0].input), ["other words"]);
    });
}

#[test]
fn only_a_session_that_a_free_turn_began_is_a_chain() {
    on_every_engine(|lab| {
        lab.add_session("made");
        lab.say("made", "m1");
        lab.start(ask_new("native", "n1"));
        for (session, parent) in [("made", "m1"), ("native", "n1")] {
            let admitted = lab.admit(ask_free(session, &format!("{session}-x"), parent)).wait().unwrap();
            let free = match admitted {
                Admitted::Started(started) => started.free,
                Admitted::Queued { free, .. } => free,
                Admitted::Before { .. } => panic!(),
            };
            assert!(!free, "{session}");
        }
        assert_eq!(lab.queue_up(ask_free("made", "m3", "m1")), 0, "one at a time");
        // Nor is a copy of a chain.
        chain(lab);
        lab.fork(project(), id("s"), id("t1"), id("copy"), None, now()).wait().unwrap();
        let head = lab.session(project(), id("copy")).wait().unwrap().unwrap().head.unwrap();
        assert!(!lab.start(ask_free("copy", "x", head.as_str())).free);
    });
}

#[test]
fn histories_are_right_whichever_of_two_children_ends_first_and_however() {
    on_every_engine(|lab| {
        chain(lab);
        // Long enough to be remembered.
        for n in 2..=12 {
            say_free(lab, &format!("t{n}"), &format!("t{}", n - 1));
        }
        let past = |tip: &str, more: &[&str]| -> Vec<String> {
            let page = lab.path(project(), id("s"), Some(id(tip)), page(100)).wait().unwrap();
            let path = page.messages.into_iter().map(|found| found.message.message.content.text().into_owned());
            path.chain(more.iter().map(|text| (*text).to_owned())).collect()
        };
        let ends_with = |started: &Started, expected: Vec<String>| {
            let past = texts(started.past.as_ref().unwrap());
            assert!(past.len() >= 20 && expected.ends_with(&past), "{past:?} does not end {expected:?}");
        };
        let trunk = past("t12", &[]);
        let mut round = 0;
        for outcomes in [[true, true], [true, false], [false, true], [false, false]] {
            for order in [[0, 1], [1, 0]] {
                round += 1;
                let names = [format!("x{round}"), format!("y{round}")];
                let pair = [0, 1].map(|at| lab.start(ask_free("s", &names[at], "t12")));
                pair.iter().for_each(|child| ends_with(child, trunk.clone()));
                let grandchild = format!("g{round}");
                lab.queue_up(ask_free("s", &grandchild, &names[0]));
                for at in order {
                    let answer = format!("a-{}", names[at]);
                    let outcome = if outcomes[at] { completed(&answer) } else { failed() };
                    let ended = lab.end(finish(&pair[at], outcome));
                    for child in &ended.children {
                        let said = [format!("u-{}", names[0]), format!("a-{}", names[0])];
                        let said: Vec<&str> = said.iter().map(String::as_str).collect();
                        ends_with(child, past("t12", if outcomes[0] { &said } else { &[] }));
                    }
                }
                ends_with(&lab.start(ask_free("s", &format!("z{round}"), "t12")), trunk.clone());
            }
        }
    });
}

#[test]
fn an_owner_that_is_about_to_leave_starts_no_children() {
    on_every_engine(|lab| {
        chain(lab);
        let parent = lab.start(ask_free("s", "t2", "t1"));
        lab.queue_up(ask_free("s", "t3", "t2"));
        let ended = lab.end(Finish { go_on: false, ..finish(&parent, completed("a-t2")) });
        assert!(ended.children.is_empty());
        assert_eq!(lab.queued_lanes().wait().unwrap(), [(project(), id("s"))]);
    });
}
