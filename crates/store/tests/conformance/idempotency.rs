//! One key of one caller makes one thing.

use session::lane::IfBusy;
use store::{Admit, Admitted, ConfigChange, Error, Idempotency, Retention};

use crate::support::*;

#[test]
fn the_same_request_joins_the_turn_that_it_made() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let keyed = |turn: &str| Admit { key: Some(key("k", 1)), ..ask("s", turn) };
        let started = lab.start(keyed("t1"));
        let before = lab.dump();
        let again = || match lab.admit(keyed("t2")).wait().unwrap() {
            Admitted::Before { session, turn } => (session.to_string(), turn.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(again(), ("s".into(), "t1".into()));
        assert_eq!(lab.dump(), before);
        lab.end(finish(&started, completed("a")));
        assert_eq!(again(), ("s".into(), "t1".into()), "running or ended");
        let refused = lab.admit(Admit { key: Some(key("k", 2)), ..ask("s", "t3") }).wait();
        assert!(matches!(refused, Err(Error::KeyReused)));
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a"]);
    });
}

#[test]
fn a_key_belongs_to_its_caller_and_its_path() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let mine = key("k", 1);
        let theirs = Idempotency { caller: "they".into(), ..mine.clone() };
        let elsewhere = Idempotency { path: "/turns/t1/retry".into(), ..mine.clone() };
        for (turn, key) in [("t1", mine), ("t2", theirs), ("t3", elsewhere)] {
            let admitted = lab.admit(Admit { key: Some(key), ..ask("s", turn) }).wait().unwrap();
            assert!(!matches!(admitted, Admitted::Before { .. }), "{turn}");
        }
    });
}

#[test]
fn a_refused_request_leaves_no_key() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        let keyed = |ask: Admit| Admit { key: Some(key("k", 1)), ..ask };
        let refused = [
            keyed(ask_busy("s", "t2", IfBusy::Reject)),
            keyed(Admit { queue_max: 0, ..ask("s", "t2") }),
            keyed(Admit { config: Some(id("nothing")), ..ask("s", "t2") }),
            keyed(ask_after("s", "t2", Some("nothing"))),
            keyed(ask("nowhere", "t2")),
            keyed(ask_new("s", "t2")),
        ];
        let before = lab.dump();
        for ask in refused {
            lab.admit(ask).wait().unwrap_err();
        }
        assert_eq!(lab.dump(), before);
        lab.end(finish(&first, completed("a")));
        lab.start(keyed(ask("s", "t2")));
    });
}

#[test]
fn many_at_once_with_one_key_make_one_turn() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let sends = (0..50).map(|n| lab.admit(Admit { key: Some(key("k", 1)), ..ask("s", &format!("t{n}")) }));
        let admitted: Vec<Admitted> = sends.collect::<Vec<_>>().into_iter().map(|send| send.wait().unwrap()).collect();
        let made = admitted.iter().filter(|admitted| matches!(admitted, Admitted::Started(_))).count();
        let joined = admitted
            .iter()
            .filter(|admitted| matches!(admitted, Admitted::Before { turn, .. } if *turn == id("t0")))
            .count();
        assert_eq!((made, joined), (1, 49));
        assert_eq!(lab.said("s"), ["user|u-t0"]);
    });
}

#[test]
fn sessions_configs_and_forks_are_made_once_too() {
    on_every_engine(|lab| {
        let session =
            |name: &str| lab.create_session(project(), new_session(name), Some(key("s", 1)), now()).wait().unwrap();
        assert_eq!(session("s"), id("s"));
        assert_eq!(session("other"), id("s"));

        let config = |name: &str| {
            let change = ConfigChange { config: config(), origin: None, key: None, make_default: false, titles: None };
            lab.create_config(project(), id(name), change, Some(key("c", 1)), now()).wait().unwrap()
        };
        assert_eq!(config("d"), id("d"));
        assert_eq!(config("e"), id("d"));

        lab.say("s", "t1");
        let fork =
            |name: &str| lab.fork(project(), id("s"), id("t1"), id(name), Some(key("f", 1)), now()).wait().unwrap();
        assert_eq!(fork("f"), id("f"));
        let before = lab.dump();
        assert_eq!(fork("g"), id("f"));
        assert_eq!(lab.dump(), before);
    });
}

#[test]
fn a_key_is_forgotten_when_its_time_is_over() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let keyed = |turn: &str| Admit { key: Some(key("k", 1)), ..ask("s", turn) };
        let started = lab.start(keyed("t1"));
        lab.end(finish(&started, completed("a")));
        let day = Retention::default().idempotency_ms;
        assert_eq!(lab.purge_all(Retention::default(), later(day)), 0);
        assert!(matches!(lab.admit(keyed("t2")).wait().unwrap(), Admitted::Before { .. }));
        assert_eq!(lab.purge_all(Retention::default(), later(day + 1)), 1);
        lab.start(keyed("t2"));
    });
}
