//! A conversation, read a page at a time.

use proptest::prelude::*;
use store::{Error, Order, Page, PathPage};

use crate::support::*;

#[test]
fn pages_are_the_path_cut_in_pieces() {
    on_every_engine(|lab| {
        let tips = grow(lab, 60);
        for tip in tips {
            check_all_pages(lab, &tip, &[1, 2, 3, 7, 50]);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_tree_are_its_paths_cut_in_pieces(
        parents in prop::collection::vec((any::<prop::sample::Index>(), 0..10u8), 1..40),
        limit in 1u32..9,
    ) {
        on_every_engine(|lab| {
            lab.add_session("s");
            for (at, (any, branch)) in parents.iter().enumerate() {
                let parent = match branch {
                    0 => None,
                    1 | 2 if at > 0 => Some(any.index(at)),
                    _ => at.checked_sub(1),
                };
                turn(lab, &format!("t{at}"), parent.map(|parent| format!("t{parent}")).as_deref());
            }
            for at in [0, parents.len() / 2, parents.len() - 1] {
                check_all_pages(lab, &format!("t{at}"), &[limit]);
            }
        });
    }
}

#[test]
fn a_page_between_two_cursors_holds_what_lies_between_them() {
    on_every_engine(|lab| {
        grow(lab, 10);
        let between = |after: &str, before: &str, order| {
            let page = Page { after: Some(after.into()), before: Some(before.into()), order, ..page(100) };
            ids(&read(lab, None, page))
        };
        assert_eq!(between("u-t2", "u-t4", Order::Asc), ["a-t2", "u-t3", "a-t3"]);
        assert_eq!(between("u-t4", "u-t2", Order::Desc), ["a-t3", "u-t3", "a-t2"]);
        assert_eq!(between("u-t4", "u-t2", Order::Asc), [] as [&str; 0]);
    });
}

#[test]
fn a_cursor_of_another_branch_stands_where_its_turn_would() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for (name, parent) in [("t1", None), ("t2", Some("t1")), ("t3", Some("t1")), ("t4", Some("t3"))] {
            turn(lab, name, parent);
        }
        let page = Page { after: Some("a-t2".into()), ..page(10) };
        assert_eq!(ids(&read(lab, None, page)), ["u-t3", "a-t3", "u-t4", "a-t4"]);
    });
}

#[test]
fn the_path_is_that_of_the_running_turn_else_of_the_head() {
    on_every_engine(|lab| {
        lab.add_session("s");
        assert!(read(lab, None, page(10)).messages.is_empty());
        turn(lab, "t1", None);
        turn(lab, "t2", None);
        assert_eq!(ids(&read(lab, None, page(10))), ["u-t2", "a-t2"]);
        lab.start(ask_after("s", "t3", Some("t1")));
        assert_eq!(ids(&read(lab, None, page(10))), ["u-t1", "a-t1", "u-t3"]);
    });
}

#[test]
fn failed_turns_are_part_of_what_is_shown() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let started = lab.start(ask("s", "t1"));
        lab.end(finish(&started, failed()));
        lab.say("s", "t2");
        let found = read(lab, None, page(10));
        assert_eq!(ids(&found), ["u-t1", "u-t2", "a-t2"]);
        assert_eq!(found.turns[&id("t1")].error.as_ref().unwrap().message, "it broke");
    });
}

#[test]
fn what_is_not_there_is_refused() {
    on_every_engine(|lab| {
        grow(lab, 2);
        lab.queue_and_leave();
        let path =
            |session: &str, branch: Option<&str>, page| lab.path(project(), id(session), branch.map(id), page).wait();
        assert!(matches!(path("nowhere", None, page(1)), Err(Error::SessionNotFound)));
        assert!(matches!(path("s", Some("nothing"), page(1)), Err(Error::TurnNotFound)));
        assert!(matches!(path("s", Some("r1"), page(1)), Err(Error::TurnNotFound)), "another session's");
        assert!(matches!(path("r", Some("r2"), page(1)), Err(Error::NotStarted)));
        let cursor = |cursor: &str| Page { after: Some(cursor.into()), ..page(1) };
        assert!(matches!(path("s", None, cursor("nothing")), Err(Error::BadCursor("after"))));
        assert!(matches!(path("s", None, cursor("u-r1")), Err(Error::BadCursor("after"))), "another session's");
    });
}

impl Lab {
    /// A session `r` where `r1` runs and `r2` waits.
    fn queue_and_leave(&self) {
        self.start(ask_new("r", "r1"));
        self.queue_up(ask("r", "r2"));
    }
}

/// A session of linear turns with a branch here and there; gives some tips.
fn grow(lab: &Lab, turns: usize) -> Vec<String> {
    lab.add_session("s");
    for n in 0..turns {
        turn(lab, &format!("t{n}"), n.checked_sub(1).map(|n| format!("t{n}")).as_deref());
    }
    let last = turns - 1;
    turn(lab, "b0", Some(&format!("t{}", turns / 2)));
    turn(lab, "b1", Some("b0"));
    turn(lab, "anew", None);
    turn(lab, "back", Some(&format!("t{last}")));
    vec!["back".into(), "b1".into(), "anew".into(), format!("t{}", turns / 2)]
}

fn turn(lab: &Lab, name: &str, parent: Option<&str>) {
    let started = lab.start(ask_after("s", name, parent));
    lab.end(finish(&started, completed("a")));
}

fn read(lab: &Lab, branch: Option<&str>, page: Page) -> PathPage {
    lab.path(project(), id("s"), branch.map(id), page).wait().unwrap()
}

fn ids(page: &PathPage) -> Vec<String> {
    page.messages.iter().map(|found| found.message.id.to_string()).collect()
}

fn check_all_pages(lab: &Lab, tip: &str, limits: &[u32]) {
    let whole = path_of(lab, tip);
    for &limit in limits {
        for order in [Order::Asc, Order::Desc] {
            let mut expected = whole.clone();
            if order == Order::Desc {
                expected.reverse();
            }
            // Onwards from the list's beginning, and back from its end.
            let mut onwards = Vec::new();
            let mut after = None;
            loop {
                let found = read(lab, Some(tip), Page { limit, after, before: None, order });
                onwards.extend(ids(&found));
                after = onwards.last().cloned();
                if !found.has_more {
                    break;
                }
                assert_eq!(found.messages.len(), limit as usize);
            }
            assert_eq!(onwards, expected, "{tip}, {limit} at a time, {order:?}");

            let mut back = Vec::new();
            let mut before = expected.last().cloned();
            while let Some(cursor) = before {
                let found = read(lab, Some(tip), Page { limit, after: None, before: Some(cursor), order });
                let mut ids = ids(&found);
                before = ids.first().cloned().filter(|_| found.has_more);
                ids.extend(back);
                back = ids;
            }
            assert_eq!(back, expected[..expected.len() - 1], "{tip}, {limit} at a time, {order:?}, backwards");
        }
    }
}

/// The path by its parents alone.
fn path_of(lab: &Lab, tip: &str) -> Vec<String> {
    let mut path = Vec::new();
    let mut next = Some(tip.to_owned());
    while let Some(turn) = next {
        path.push(format!("a-{turn}"));
        path.push(format!("u-{turn}"));
        next = lab.read_turn(&turn).parent.map(|parent| parent.to_string());
    }
    path.reverse();
    path
}
