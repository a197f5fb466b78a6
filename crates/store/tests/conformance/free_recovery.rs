//! Free turns whose owner is gone, and those that waited for them.

use session::{message::Message, turn::Status};
use store::{Finish, Takeover};

use crate::support::*;

fn take_over(lab: &Lab, turn: &str) -> Takeover {
    lab.take_over(project(), id(turn), id("new"), 3, id(&format!("late-{turn}")), |_| 1, now()).wait().unwrap()
}

fn start_free(lab: &Lab, session: &str) -> Vec<String> {
    names(&lab.start_free(project(), id(session), id("new"), now()).wait().unwrap())
}

#[test]
fn every_running_turn_of_a_session_is_taken_over_and_the_children_of_those_that_end_start() {
    on_every_engine(|lab| {
        let first = lab.start(ask_chain("s", "f1"));
        lab.end(finish(&first, completed("a-f1")));
        let runs = ["f2", "f3"].map(|turn| lab.start(ask_free("s", turn, "f1")));
        lab.start(ask("s", "l1"));
        lab.queue_up(ask_free("s", "f4", "f2"));
        lab.queue_up(ask_free("s", "f5", "f3"));
        lab.queue_up(ask("s", "l2"));
        lab.segment(fence(&runs[0]), segment(1, 0, &["half"]), 1, None, now()).wait().unwrap();
        lab.reopen();

        let mut orphans: Vec<String> =
            lab.orphans(id("new")).wait().unwrap().into_iter().map(|(_, turn)| turn.to_string()).collect();
        orphans.sort();
        assert_eq!(orphans, ["f2", "f3", "l1"]);
        let Takeover::Ended(ended) = take_over(lab, "f2") else { panic!("something of it is stored") };
        assert_eq!((next(&ended.next).as_str(), children(&ended)), ("nothing", vec!["f4".into()]));
        assert_eq!(past(&ended.children[0]), ["u-f1", "a-f1", "u-f2", "half"]);
        for (turn, free) in [("f3", true), ("l1", false)] {
            let Takeover::Again(again) = take_over(lab, turn) else { panic!("{turn} had said nothing") };
            assert_eq!((again.epoch, again.free), (2, free));
            assert_eq!(again.input, [Message::user(&format!("u-{turn}"))]);
        }
        // What waits for a turn that runs again goes on waiting.
        assert!(start_free(lab, "s").is_empty());
        assert_eq!(lab.queue_of("s"), ["f5", "l2"]);
        assert_eq!(lab.orphans(id("new")).wait().unwrap(), []);
    });
}

#[test]
fn a_free_turn_whose_parent_has_ended_meanwhile_starts_after_a_restart() {
    on_every_engine(|lab| {
        let parent = lab.start(ask_chain("s", "f1"));
        lab.queue_up(ask_free("s", "f2", "f1"));
        lab.queue_up(ask_free("s", "f3", "f1"));
        lab.end(Finish { go_on: false, ..finish(&parent, completed("a-f1")) });
        lab.reopen();
        assert_eq!(lab.queued_lanes().wait().unwrap(), [(project(), id("s"))]);
        assert_eq!(next(&lab.start_next(project(), id("s"), id("new"), now()).wait().unwrap()), "nothing");
        assert_eq!(start_free(lab, "s"), ["f2", "f3"]);
        assert_eq!(["f2", "f3"].map(|turn| lab.read_turn(turn).status), [Status::Running; 2]);
        assert!(start_free(lab, "s").is_empty(), "once");
    });
}
