//! From a send to a running turn.

use session::{
    message::Message,
    turn::{Kind, Options, Status},
};
use store::{Admit, Admitted, Error, Input, SessionRef};

use crate::support::*;

#[test]
fn a_send_to_an_idle_lane_starts_in_the_transaction_that_admits_it() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let before = lab.stats().commits();
        let started = lab.start(ask("s", "t1"));
        assert_eq!(lab.stats().commits() - before, 1);
        assert_eq!((started.epoch, started.attempts, started.waited_at), (1, 0, None));
        assert_eq!(texts(&started.input), ["u-t1"]);
        assert_eq!(started.config.unwrap().id, id("c"));
        assert_eq!(lab.read_turn("t1").status, Status::Running);
        assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().running, Some(id("t1")));
    });
}

#[test]
fn messages_are_written_in_the_order_of_the_conversation_not_of_the_sends() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let first = lab.start(ask("s", "t1"));
        assert_eq!(lab.queue_up(ask("s", "t2")), 0);
        assert_eq!(lab.queue_up(ask("s", "t3")), 1);
        assert_eq!(lab.said("s"), ["user|u-t1"]);

        let second = lab.end(finish(&first, completed("a1")));
        assert_eq!(next(&second.next), "t2");
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a1", "user|u-t2"]);
        let store::NextUp::Started(second) = second.next else { panic!() };
        assert_eq!(second.waited_at, Some(0));
        assert_eq!(past(&second), ["u-t1", "a1"]);

        let store::NextUp::Started(third) = lab.end(finish(&second, completed("a2"))).next else { panic!() };
        assert_eq!(past(&third), ["u-t1", "a1", "u-t2", "a2"]);
        lab.end(finish(&third, completed("a3")));
        assert_eq!(
            lab.said("s"),
            ["user|u-t1", "assistant|a1", "user|u-t2", "assistant|a2", "user|u-t3", "assistant|a3"]
        );
    });
}

#[test]
fn sends_of_the_same_moment_form_one_order() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let replies: Vec<_> = (0..8).map(|n| lab.admit(ask("s", &format!("t{n}")))).collect();
        let mut started = Vec::new();
        let mut queued = Vec::new();
        for reply in replies {
            match reply.wait().unwrap() {
                Admitted::Started(turn) => started.push(*turn),
                Admitted::Queued { position, .. } => queued.push(position),
                Admitted::Before { .. } => panic!("there was no key"),
            }
        }
        assert_eq!(queued, [0, 1, 2, 3, 4, 5, 6]);
        let mut running = started.pop();
        assert!(started.is_empty(), "one turn runs at a time");
        let mut expected = Vec::new();
        while let Some(turn) = running {
            assert_eq!(past(&turn).len(), expected.len(), "each sees all that came before");
            let answer = format!("a-{}", turn.turn);
            expected.extend([format!("user|u-{}", turn.turn), format!("assistant|{answer}")]);
            running = match lab.end(finish(&turn, completed(&answer))).next {
                store::NextUp::Started(next) => Some(*next),
                _ => None,
            };
        }
        assert_eq!(expected.len(), 16);
        assert_eq!(lab.said("s"), expected);
    });
}

#[test]
fn a_session_comes_with_its_first_turn_or_not_at_all() {
    on_every_engine(|lab| {
        let nobody = Admit { config: Some(id("nothing")), ..ask_new("s", "t1") };
        let before = lab.dump();
        assert!(matches!(lab.admit(nobody).wait(), Err(Error::ConfigNotFound)));
        assert_eq!(lab.dump(), before);

        lab.start(ask_new("s", "t1"));
        assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().title.as_deref(), Some("u-t1"));
        assert!(matches!(lab.admit(ask_new("s", "t2")).wait(), Err(Error::Taken)));
        assert!(matches!(lab.admit(ask("nowhere", "t2")).wait(), Err(Error::SessionNotFound)));
    });
}

#[test]
fn a_session_is_titled_by_the_first_line_that_says_something() {
    on_every_engine(|lab| {
        let long = format!("\n  \n{}\nmore", "长".repeat(61));
        let send = |text: &str| Input::Messages(vec![input("m", Message::user(text))]);
        lab.start(Admit { input: send(&long), ..ask_new("s", "t1") });
        let title = lab.session(project(), id("s")).wait().unwrap().unwrap().title.unwrap();
        assert_eq!(title, format!("{}…", "长".repeat(60)));

        let named = store::NewSession { title: Some("mine".into()), ..new_session("named") };
        lab.create_session(project(), named, None, now()).wait().unwrap();
        lab.say("named", "n1");
        assert_eq!(lab.session(project(), id("named")).wait().unwrap().unwrap().title.as_deref(), Some("mine"));
    });
}

#[test]
fn a_turn_is_answered_by_the_named_config_else_the_sessions_else_the_default() {
    on_every_engine(|lab| {
        lab.add_config(&project(), "d", config());
        lab.add_config(&project(), "e", config());
        let with_config = store::NewSession { config: Some(id("d")), ..new_session("s") };
        lab.create_session(project(), with_config, None, now()).wait().unwrap();
        let answered_by = |ask: Admit| {
            let started = lab.start(ask);
            lab.end(finish(&started, completed("a")));
            started.config.unwrap().id.to_string()
        };
        assert_eq!(answered_by(Admit { config: Some(id("e")), ..ask("s", "t1") }), "e");
        assert_eq!(answered_by(ask("s", "t2")), "d");
        assert_eq!(answered_by(ask_new("plain", "t3")), "c");
    });
}

#[test]
fn what_a_request_asked_for_is_kept_with_its_turn() {
    on_every_engine(|lab| {
        let options = Options { model: Some("big".into()), seed: Some(7), ..Options::default() };
        let metadata = Some(serde_json::json!({"k": "v"}));
        let started = lab.start(Admit { options: options.clone(), metadata: metadata.clone(), ..ask_new("s", "t1") });
        assert_eq!(started.options, options);
        lab.queue_up(Admit { options: options.clone(), ..ask("s", "t2") });
        let store::NextUp::Started(second) = lab.end(finish(&started, completed("a"))).next else { panic!() };
        assert_eq!(second.options, options);
        let stored = lab.read_turn("t1");
        assert_eq!((stored.options, stored.metadata, stored.kind), (options, metadata, Kind::Message));
    });
}

#[test]
fn an_explicit_parent_has_to_be_a_started_turn_of_the_session() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        lab.say_elsewhere();
        let before = lab.dump();
        let refused = |parent: &str| lab.admit(ask_after("s", "t3", Some(parent))).wait().unwrap_err();
        assert!(matches!(refused("t2"), Error::ParentNotStarted));
        assert!(matches!(refused("other-1"), Error::TurnNotFound));
        assert!(matches!(refused("nothing"), Error::TurnNotFound));
        let new = Admit { session: SessionRef::New(id("new")), ..ask_after("new", "t3", Some("t1")) };
        assert!(matches!(lab.admit(new).wait(), Err(Error::TurnNotFound)));
        assert_eq!(lab.dump(), before);
        assert_eq!(lab.queue_up(ask_after("s", "t3", Some("t1"))), 1, "a running parent will have ended by then");
    });
}

impl Lab {
    /// A turn `other-1` in a session `other`.
    fn say_elsewhere(&self) {
        let started = self.start(ask_new("other", "other-1"));
        self.end(finish(&started, completed("a")));
    }
}
