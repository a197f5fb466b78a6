//! Sessions: listed, changed, deleted, restored and purged.

use session::{event::Event, lane::OnFailure, title::AutoTitle, turn::Status};
use store::{Error, NewSession, Order, Page, Retention, Session, SessionChange, SessionFilter};

use crate::support::*;

#[test]
fn a_session_is_read_as_it_was_made_and_changed() {
    on_every_engine(|lab| {
        let new = NewSession {
            title: Some("T".into()),
            auto_title: AutoTitle::Model,
            config: Some(id("c")),
            system: Some("be kind".into()),
            metadata: serde_json::json!({"k": [1]}),
            on_failure: OnFailure::Pause,
            ..new_session("s")
        };
        lab.create_session(project(), new, None, now()).wait().unwrap();
        let made = find(lab, "s").unwrap();
        assert_eq!((made.title.as_deref(), made.system.as_deref()), (Some("T"), Some("be kind")));
        assert_eq!(
            (made.config, made.on_failure, made.auto_title),
            (Some(id("c")), OnFailure::Pause, AutoTitle::Model)
        );
        assert_eq!((made.created_at, made.metadata), (now(), serde_json::json!({"k": [1]})));

        let change = SessionChange {
            title: Some(None),
            auto_title: Some(AutoTitle::FirstLine),
            config: Some(None),
            pinned: Some(true),
            archived: Some(true),
            metadata: Some(serde_json::json!({})),
            on_failure: Some(OnFailure::Continue),
            head: None,
        };
        let changed = lab.change_session(project(), id("s"), change, later(1)).wait().unwrap();
        assert_eq!((changed.title, changed.config, changed.pinned, changed.archived), (None, None, true, true));
        assert_eq!((changed.on_failure, changed.active_at), (OnFailure::Continue, now()));
        assert_eq!(changed.auto_title, AutoTitle::FirstLine);
        let before = lab.dump();
        lab.change_session(project(), id("s"), SessionChange::default(), later(1)).wait().unwrap();
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn a_session_is_refused_when_its_id_is_taken_or_its_config_is_not_there() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let before = lab.dump();
        let create = |new| lab.create_session(project(), new, None, now()).wait();
        assert!(matches!(create(new_session("s")), Err(Error::Taken)));
        assert!(matches!(create(NewSession { config: Some(id("x")), ..new_session("r") }), Err(Error::ConfigNotFound)));
        let change = SessionChange { config: Some(Some(id("x"))), ..SessionChange::default() };
        assert!(matches!(
            lab.change_session(project(), id("s"), change.clone(), now()).wait(),
            Err(Error::ConfigNotFound)
        ));
        assert!(matches!(lab.change_session(project(), id("r"), change, now()).wait(), Err(Error::SessionNotFound)));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn sessions_are_listed_by_their_last_activity_page_by_page() {
    on_every_engine(|lab| {
        for n in 0..7 {
            let at = later(if n < 4 { 0 } else { n });
            lab.create_session(project(), new_session(&format!("s{n}")), None, at).wait().unwrap();
        }
        let newest_first = ["s6", "s5", "s4", "s3", "s2", "s1", "s0"];
        assert_eq!(list(lab, Page { order: Order::Desc, ..page(100) }).0, newest_first);
        for limit in 1..=8 {
            for order in [Order::Asc, Order::Desc] {
                let mut expected: Vec<String> = newest_first.iter().map(|name| (*name).into()).collect();
                if order == Order::Asc {
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
                let before = Some(expected[5].clone());
                let (ids, more) = list(lab, Page { limit, after: None, before, order });
                assert_eq!(ids, expected[5usize.saturating_sub(limit as usize)..5]);
                assert_eq!(more, limit < 5);
            }
        }
        let refused = lab.sessions(project(), SessionFilter::default(), Page { after: Some("x".into()), ..page(1) });
        assert!(matches!(refused.wait(), Err(Error::BadCursor("after"))));
        let refused =
            lab.sessions(project(), SessionFilter::default(), Page { after: Some("' OR 1".into()), ..page(1) });
        assert!(matches!(refused.wait(), Err(Error::BadCursor("after"))));
    });
}

#[test]
fn a_send_and_an_answer_are_activity() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let started = lab.start(store::Admit { now: later(5), ..ask("s", "t1") });
        assert_eq!(find(lab, "s").unwrap().active_at, later(5));
        let mut end = finish(&started, completed("a"));
        end.now = later(9);
        lab.end(end);
        assert_eq!(find(lab, "s").unwrap().active_at, later(9));
    });
}

#[test]
fn sessions_are_found_by_title_and_by_what_they_are_marked_as() {
    on_every_engine(|lab| {
        for (name, title) in
            [("s1", "50% off"), ("s2", "50 km"), ("s3", "a_b"), ("s4", "aXb"), ("s5", "back\\slash"), ("s6", "你好")]
        {
            let new = NewSession { title: Some(title.into()), ..new_session(name) };
            lab.create_session(project(), new, None, now()).wait().unwrap();
        }
        lab.add_session("untitled");
        let by = |filter: SessionFilter| {
            let found = lab.sessions(project(), filter, page(100)).wait().unwrap();
            found.sessions.into_iter().map(|session| session.id.to_string()).collect::<Vec<_>>()
        };
        let q = |q: &str| by(SessionFilter { q: Some(q.into()), ..SessionFilter::default() });
        assert_eq!(q("50%"), ["s1"]);
        assert_eq!(q("a_b"), ["s3"]);
        assert_eq!(q("\\"), ["s5"]);
        assert_eq!(q("BACK"), ["s5"]);
        assert_eq!(q("你"), ["s6"]);
        assert_eq!(q("'"), [] as [&str; 0]);

        let mark = |name: &str, change: SessionChange| {
            lab.change_session(project(), id(name), change, now()).wait().unwrap();
        };
        mark("s1", SessionChange { pinned: Some(true), ..SessionChange::default() });
        mark("s2", SessionChange { archived: Some(true), ..SessionChange::default() });
        let marked = |pinned, archived| by(SessionFilter { q: None, pinned, archived });
        assert_eq!(marked(Some(true), None), ["s1"]);
        assert_eq!(marked(None, Some(true)), ["s2"]);
        assert_eq!(marked(Some(true), Some(true)), [] as [&str; 0]);
        assert_eq!(marked(Some(false), Some(false)), ["s3", "s4", "s5", "s6", "untitled"]);
        assert_eq!(marked(None, None).len(), 7);
    });
}

#[test]
fn a_deleted_session_is_found_by_no_read_and_takes_no_send() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let running = lab.start(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        let (stop, withdrawn) = lab.delete_session(project(), id("s"), later(1)).wait().unwrap();
        assert_eq!((stop, withdrawn.len()), (vec![id("t2")], 1));
        assert_eq!((&withdrawn[0].id, withdrawn[0].status), (&id("t3"), Status::Cancelled));

        assert!(find(lab, "s").is_none());
        assert!(list(lab, page(100)).0.is_empty());
        for turn in ["t1", "t2", "t3"] {
            assert!(lab.turn(project(), id(turn)).wait().unwrap().is_none());
            assert!(lab.prompt(project(), id(turn)).wait().unwrap().is_none());
            assert!(matches!(lab.cancel(project(), id(turn), now()).wait(), Err(Error::TurnNotFound)));
        }
        // Who watched it before is told of its end.
        let told = lab.events(project(), id("t3"), Default::default()).wait().unwrap().unwrap();
        assert_eq!((told.turn.status, &told.events.last().unwrap().event), (Status::Cancelled, &Event::Ended));
        assert!(lab.queue_of("s").is_empty());
        assert!(matches!(lab.path(project(), id("s"), None, page(1)).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.turns(project(), id("s"), page(1)).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.admit(ask("s", "t4")).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.admit(ask_new("s", "t4")).wait(), Err(Error::Taken)));
        assert!(matches!(lab.create_session(project(), new_session("s"), None, now()).wait(), Err(Error::Taken)));
        assert!(matches!(lab.resume(project(), id("s"), owner(), now()).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.delete_session(project(), id("s"), now()).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(
            lab.fork(project(), id("s"), id("t1"), id("f"), None, now()).wait(),
            Err(Error::SessionNotFound)
        ));

        // The owner of what still runs can end it all the same.
        lab.segment(fence(&running), segment(1, 0, &["ha"]), 1, None, now()).wait().unwrap();
        let ended = lab.end(finish(&running, cancelled(Some("ha"))));
        assert_eq!((ended.turn.status, next(&ended.next).as_str()), (Status::Cancelled, "nothing"));
    });
}

#[test]
fn a_deleted_session_can_be_restored_until_it_is_purged() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let running = lab.start(ask("s", "t2"));
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        lab.end(finish(&running, cancelled(Some("half"))));
        let restored = lab.restore_session(project(), id("s")).wait().unwrap();
        assert_eq!((restored.head, restored.queued), (Some(id("t2")), 0));
        assert_eq!(past(&lab.start(ask("s", "t3"))), ["u-t1", "a-t1", "u-t2", "half"]);
        assert!(lab.restore_session(project(), id("s")).wait().is_ok(), "restored before");
        assert!(matches!(lab.restore_session(project(), id("r")).wait(), Err(Error::SessionNotFound)));
    });
}

#[test]
fn a_session_restored_while_its_turn_still_runs_goes_on() {
    on_every_engine(|lab| {
        let running = lab.start(ask_new("s", "t1"));
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        lab.restore_session(project(), id("s")).wait().unwrap();
        lab.queue_up(ask("s", "t2"));
        assert_eq!(next(&lab.end(finish(&running, cancelled(None))).next), "t2");
    });
}

#[test]
fn a_purged_session_is_gone_whole_and_its_id_is_free() {
    on_every_engine(|lab| {
        lab.add_session("kept");
        lab.say("kept", "k1");
        let before = lab.dump();
        lab.add_session("s");
        for n in 0..3 {
            let started = lab.start(ask("s", &format!("t{n}")));
            lab.segment(fence(&started), segment(1, 0, &["x"]), 1, None, now()).wait().unwrap();
            lab.end(finish(&started, completed("x")));
        }
        lab.start(ask("s", "last"));
        lab.queue_up(ask("s", "waits"));
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        let month = Retention { events_ms: i64::MAX, ..Retention::default() };
        assert_eq!(lab.purge_all(month, later(month.deleted_ms)), 0);
        assert_eq!(lab.purge_all(month, later(month.deleted_ms + 1)), 0, "a turn of it still runs");
        let taken = lab.take_over(project(), id("last"), id("new"), 3, id("m"), |_| 1, now()).wait().unwrap();
        assert!(matches!(taken, store::Takeover::Ended(_)));
        assert!(lab.purge_all(month, later(month.deleted_ms + 1)) > 0);
        assert_eq!(lab.dump(), before);
        lab.start(ask_new("s", "t0"));
    });
}

#[test]
fn a_session_that_is_being_purged_cannot_come_back_torn() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        let at_once = Retention { deleted_ms: 0, ..Retention::default() };
        assert!(lab.purge(at_once, later(1)).wait().unwrap() > 0);
        let refused = lab.restore_session(project(), id("s")).wait();
        assert!(matches!(refused, Err(Error::SessionNotFound)));
    });
}

fn find(lab: &Lab, name: &str) -> Option<Session> {
    lab.session(project(), id(name)).wait().unwrap()
}

fn list(lab: &Lab, page: Page) -> (Vec<String>, bool) {
    let found = lab.sessions(project(), SessionFilter::default(), page).wait().unwrap();
    (found.sessions.into_iter().map(|session| session.id.to_string()).collect(), found.has_more)
}
