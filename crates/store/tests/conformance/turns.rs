//! A session's turns as a list, and one turn as it is read.

use session::turn::{Outcome, Status, Usage};
use store::{Error, Finish, Order, Page};

use crate::support::*;

#[test]
fn turns_are_listed_by_number_and_the_queue_behind_them() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for n in 1..=5 {
            lab.say("s", &format!("t{n}"));
        }
        lab.start(ask_after("s", "t6", Some("t2")));
        for turn in ["t7", "t8", "t9"] {
            lab.queue_up(ask("s", turn));
        }
        lab.cancel(project(), id("t8"), now()).wait().unwrap();
        let moved = store::Edit { message: None, position: Some(0) };
        lab.edit(project(), id("t9"), moved).wait().unwrap();
        let whole = ["t1", "t2", "t3", "t4", "t5", "t6", "t9", "t7"];
        for limit in 1..=9 {
            for order in [Order::Asc, Order::Desc] {
                let mut expected: Vec<String> = whole.iter().map(|turn| (*turn).into()).collect();
                if order == Order::Desc {
                    expected.reverse();
                }
                let mut onwards: Vec<String> = Vec::new();
                loop {
                    let (ids, more) = list(lab, Page { limit, after: onwards.last().cloned(), before: None, order });
                    onwards.extend(ids);
                    if !more {
                        break;
                    }
                }
                assert_eq!(onwards, expected);
                let mut back: Vec<String> = vec![expected.last().unwrap().clone()];
                loop {
                    let before = Some(back[0].clone());
                    let (ids, more) = list(lab, Page { limit, after: None, before, order });
                    back = [ids, back].concat();
                    if !more {
                        break;
                    }
                }
                assert_eq!(back, expected);
            }
        }
        let between = Page { after: Some("t4".into()), before: Some("t7".into()), ..page(10) };
        assert_eq!(list(lab, between).0, ["t5", "t6", "t9"]);
        let crossed = Page { after: Some("t7".into()), before: Some("t4".into()), ..page(10) };
        assert_eq!(list(lab, crossed).0, [] as [&str; 0]);
    });
}

#[test]
fn a_list_of_turns_refuses_cursors_it_did_not_give() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.start(ask_new("r", "r1"));
        let refused = |session: &str, cursor: &str| {
            let page = Page { after: Some(cursor.into()), ..page(1) };
            lab.turns(project(), id(session), page).wait().unwrap_err()
        };
        assert!(matches!(refused("s", "r1"), Error::BadCursor("after")));
        assert!(matches!(refused("s", "nothing"), Error::BadCursor("after")));
        assert!(matches!(refused("nowhere", "t1"), Error::SessionNotFound));
    });
}

#[test]
fn a_turn_is_read_as_it_was_written() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t0"));
        lab.queue_up(ask("s", "t1"));
        let mut end = finish(&first, completed("a"));
        end.now = later(30);
        let store::NextUp::Started(started) = lab.end(end).next else { panic!() };
        let usage = Usage { prompt_tokens: 5, completion_tokens: u64::MAX, cached_tokens: 3, reasoning_tokens: 2 };
        let outcome = Outcome { model: Some("m-1".into()), usage, ..cut_short("half") };
        let end =
            Finish { first_token_ms: Some(12), attempts: 2, last_seq: 9, now: later(100), ..finish(&started, outcome) };
        let finished = lab.end(end).turn;
        let read = lab.read_turn("t1");
        assert_eq!(format!("{read:?}"), format!("{finished:?}"));
        assert_eq!((read.status, read.number, read.attempts, read.epoch), (Status::Incomplete, Some(2), 2, 1));
        assert_eq!((read.timing.queued_ms, read.timing.first_token_ms, read.timing.total_ms), (30, Some(12), 100));
        assert_eq!((read.usage.prompt_tokens, read.usage.completion_tokens), (5, i64::MAX as u64));
        assert_eq!(read.model.as_deref(), Some("m-1"));
        assert_eq!(read.answer.unwrap().id, id("a-t1"));
        assert!(lab.turn(project(), id("t9")).wait().unwrap().is_none());
    });
}

fn list(lab: &Lab, page: Page) -> (Vec<String>, bool) {
    let found = lab.turns(project(), id("s"), page).wait().unwrap();
    (found.turns.into_iter().map(|turn| turn.id.to_string()).collect(), found.has_more)
}
