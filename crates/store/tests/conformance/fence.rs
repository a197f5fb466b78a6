//! Whoever lost a turn writes nothing about it any more.

use store::{Error, Fence, Finish, Segment};

use crate::support::*;

#[test]
fn only_the_owner_of_the_epoch_writes() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        let right = fence(&started);
        let wrong = [
            Fence { epoch: 0, ..right.clone() },
            Fence { epoch: 2, ..right.clone() },
            Fence { owner: id("somebody"), ..right.clone() },
            Fence { turn: id("t2"), ..right.clone() },
            Fence { turn: id("t9"), ..right.clone() },
            Fence { project: id("q"), ..right.clone() },
        ];
        let before = lab.dump();
        for fence in wrong {
            assert!(matches!(write_segment(lab, &fence), Err(Error::Lost)), "{fence:?}");
            let end =
                Finish { fence: fence.clone(), rest: Some(segment(1, 0, &["x"])), ..finish(&started, completed("a")) };
            assert!(matches!(lab.finish(end).wait(), Err(Error::Lost)), "{fence:?}");
        }
        assert_eq!(lab.dump(), before);
        write_segment(lab, &right).unwrap();
        assert_eq!(next(&lab.end(finish(&started, completed("a"))).next), "t2");
    });
}

#[test]
fn nothing_is_written_after_the_end() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        lab.end(finish(&started, cancelled(Some("half"))));
        let before = lab.dump();
        assert!(matches!(write_segment(lab, &fence(&started)), Err(Error::Lost)));
        assert!(matches!(lab.finish(finish(&started, completed("whole"))).wait(), Err(Error::Lost)));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn of_two_ends_of_one_moment_one_counts() {
    on_every_engine(|lab| {
        let started = lab.start(ask_new("s", "t1"));
        let ends =
            [completed("a"), cancelled(Some("b")), failed()].map(|outcome| lab.finish(finish(&started, outcome)));
        let outcomes: Vec<bool> = ends.into_iter().map(|end| end.wait().is_ok()).collect();
        assert_eq!(outcomes, [true, false, false]);
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a"]);
    });
}

#[test]
fn an_owner_that_was_replaced_is_told_so() {
    on_every_engine(|lab| {
        let old = lab.start(ask_new("s", "t1"));
        lab.take_over(project(), id("t1"), id("other"), 3, id("m"), |_| 1, now()).wait().unwrap();
        let before = lab.dump();
        assert!(matches!(write_segment(lab, &fence(&old)), Err(Error::Lost)));
        assert!(matches!(lab.finish(finish(&old, completed("late"))).wait(), Err(Error::Lost)));
        assert_eq!(lab.dump(), before);
    });
}

fn write_segment(lab: &Lab, fence: &Fence) -> store::Result<()> {
    let segment: Segment = segment(1, 0, &["x"]);
    lab.segment(fence.clone(), segment, 1, None, now()).wait()
}
