//! Projects do not see each other, whatever ids they name.

use session::{event::EventId, lane::IfBusy, message::Message};
use store::{Admit, Admitted, ConfigChange, Edit, Error, Fence, Input, Parent, SessionChange, SessionFilter, Takeover};

use crate::support::*;

/// A project `p` with everything in it: a session `s` where `t2` runs and `t3` waits, a held session `h`, a chain `f`
/// where `f2` waits and need not, a deleted one.
fn fill(lab: &Lab) {
    lab.add_session("s");
    let first = lab.start(Admit { key: Some(key("k", 1)), ..ask("s", "t1") });
    lab.segment(fence(&first), segment(1, 0, &["secret"]), 1, None, now()).wait().unwrap();
    lab.end(finish(&first, completed("secret")));
    lab.start(ask("s", "t2"));
    lab.queue_up(ask("s", "t3"));
    let calling = lab.start(ask_new("h", "h1"));
    lab.end(finish(&calling, called(&["x"])));
    let free = lab.start(ask_chain("f", "f1"));
    lab.queue_up(ask_free("f", "f2", "f1"));
    lab.end(store::Finish { go_on: false, ..finish(&free, completed("secret")) });
    lab.add_session("gone");
    lab.delete_session(project(), id("gone"), now()).wait().unwrap();
}

#[test]
fn another_project_reads_nothing() {
    on_every_engine(|lab| {
        fill(lab);
        lab.add_config(&id("q"), "qc", config());
        let q = || id("q");
        for turn in ["t1", "t2", "t3", "h1", "f1", "f2"] {
            assert!(lab.turn(q(), id(turn)).wait().unwrap().is_none());
            assert!(lab.events(q(), id(turn), EventId::START).wait().unwrap().is_none());
            assert!(lab.prompt(q(), id(turn)).wait().unwrap().is_none());
        }
        assert!(lab.session(q(), id("s")).wait().unwrap().is_none());
        assert!(lab.input_message(project(), id("u-t1")).wait().unwrap().is_some());
        assert!(lab.input_message(q(), id("u-t1")).wait().unwrap().is_none());
        assert!(lab.sessions(q(), SessionFilter::default(), page(100)).wait().unwrap().sessions.is_empty());
        assert!(lab.queue(q(), id("s")).wait().unwrap().is_empty());
        assert!(lab.config(q(), id("c")).wait().unwrap().is_none());
        assert!(lab.config_at(q(), id("c"), Some(1)).wait().unwrap().is_none());
        assert_eq!(lab.configs(q()).wait().unwrap().len(), 1);
        assert!(matches!(lab.path(q(), id("s"), None, page(1)).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.path(q(), id("s"), Some(id("t1")), page(1)).wait(), Err(Error::SessionNotFound)));
        assert!(matches!(lab.turns(q(), id("s"), page(1)).wait(), Err(Error::SessionNotFound)));
    });
}

#[test]
fn another_project_changes_nothing() {
    on_every_engine(|lab| {
        fill(lab);
        lab.add_config(&id("q"), "qc", config());
        let before = lab.dump();
        let q = || id("q");
        let as_q = |ask: Admit| Admit { project: q(), ..ask };
        for ask in [
            ask("s", "x"),
            ask_busy("s", "x", IfBusy::Interrupt),
            ask_again("s", "x", "t1"),
            ask_results("h", "x", &["x"]),
            ask_after("s", "x", Some("t1")),
            ask_free("f", "x", "f1"),
        ] {
            assert!(matches!(lab.admit(as_q(ask)).wait(), Err(Error::SessionNotFound)));
        }
        assert!(matches!(lab.cancel(q(), id("t3"), now()).wait(), Err(Error::TurnNotFound)));
        let edit = Edit { message: Some(input("x", Message::user("x"))), position: Some(0) };
        assert!(matches!(lab.edit(q(), id("t3"), edit).wait(), Err(Error::TurnNotFound)));
        let fence = Fence { project: q(), turn: id("t2"), epoch: 1, owner: owner() };
        let segment = lab.segment(fence.clone(), segment(1, 0, &["x"]), 1, None, now()).wait();
        assert!(matches!(segment, Err(Error::Lost)));
        assert!(matches!(lab.finish(finish_by(fence, "s", completed("x"))).wait(), Err(Error::Lost)));
        let taken = lab.take_over(q(), id("t2"), id("x"), 9, id("x"), |_| 1, now()).wait();
        assert!(matches!(taken, Ok(Takeover::Nothing)));
        for session in ["s", "h", "f"] {
            assert_eq!(next(&lab.start_next(q(), id(session), owner(), later(HOLD_MS)).wait().unwrap()), "nothing");
            assert!(matches!(lab.resume(q(), id(session), owner(), now()).wait(), Err(Error::SessionNotFound)));
            assert!(lab.start_free(q(), id(session), owner(), now()).wait().unwrap().is_empty());
            let change = SessionChange { title: Some(None), ..SessionChange::default() };
            assert!(matches!(lab.change_session(q(), id(session), change, now()).wait(), Err(Error::SessionNotFound)));
            assert!(matches!(lab.delete_session(q(), id(session), now()).wait(), Err(Error::SessionNotFound)));
        }
        assert!(matches!(lab.restore_session(q(), id("gone")).wait(), Err(Error::SessionNotFound)));
        let fork = lab.fork(q(), id("s"), id("t1"), id("new"), None, now()).wait();
        assert!(matches!(fork, Err(Error::SessionNotFound)));
        let change = ConfigChange { config: config(), origin: None, key: None, make_default: true, titles: None };
        assert!(matches!(lab.change_config(q(), id("c"), 1, change, now()).wait(), Err(Error::ConfigNotFound)));
        assert!(matches!(lab.delete_config(q(), id("c"), now()).wait(), Err(Error::ConfigNotFound)));
        let named = as_q(Admit { config: Some(id("c")), ..ask_new("new", "x") });
        assert!(matches!(lab.admit(named).wait(), Err(Error::ConfigNotFound)), "nor its configs");
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn two_projects_use_the_same_ids_side_by_side() {
    on_every_engine(|lab| {
        fill(lab);
        let before = lab.dump_of("p");
        let q = || id("q");
        lab.add_config(&q(), "c", config());
        lab.create_session(q(), new_session("s"), None, now()).wait().unwrap();
        lab.create_session(q(), new_session("gone"), None, now()).wait().unwrap();
        let send = |ask: Admit| lab.admit(Admit { project: q(), ..ask }).wait().unwrap();
        let theirs = Input::Messages(vec![input("u-t1", Message::user("theirs"))]);
        let Admitted::Started(first) = send(Admit { key: Some(key("k", 2)), input: theirs, ..ask("s", "t1") }) else {
            panic!("a key of one project means nothing to another")
        };
        assert!(past(&first).is_empty());
        lab.segment(fence(&first), segment(1, 0, &["their answer"]), 1, None, now()).wait().unwrap();
        lab.end(finish(&first, completed("their answer")));
        let Admitted::Started(second) = send(ask("s", "t2")) else { panic!() };
        assert_eq!(past(&second), ["theirs", "their answer"]);
        let Admitted::Queued { position: 0, .. } = send(ask("s", "t3")) else {
            panic!("one runs and none waits there")
        };
        let Admitted::Queued { .. } = send(Admit { parent: Parent::Turn(id("t1")), ..ask("s", "t4") }) else {
            panic!()
        };
        assert_eq!(next(&lab.end(finish(&second, failed())).next), "t3");

        lab.fork(q(), id("s"), id("t1"), id("h"), None, now()).wait().unwrap();
        let change = ConfigChange { config: config(), origin: None, key: None, make_default: false, titles: None };
        lab.change_config(q(), id("c"), 1, change, now()).wait().unwrap();
        lab.cancel(q(), id("t4"), now()).wait().unwrap();
        lab.delete_session(q(), id("gone"), now()).wait().unwrap();
        lab.restore_session(q(), id("gone")).wait().unwrap();
        lab.delete_config(q(), id("c"), now()).wait().unwrap();
        lab.delete_session(q(), id("s"), now()).wait().unwrap();
        assert_eq!(lab.dump_of("p"), before);
        assert_eq!(lab.read_turn("t1").answer.unwrap().message, Message::assistant("secret"));

        let of_s = |project: &str| {
            lab.query(&format!("SELECT content FROM chat_messages WHERE session_id = 's' AND project_id = '{project}'"))
        };
        assert_eq!(of_s("p"), ["u-t1", "secret", "u-t2"]);
        assert_eq!(of_s("q"), ["theirs", "their answer", "u-t2", "u-t3"]);
    });
}
