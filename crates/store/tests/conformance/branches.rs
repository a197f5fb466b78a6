//! A session is a tree: regenerate, edit, retry, continue, fork.

use session::{
    message::Message,
    turn::{Kind, Status},
};
use store::{Admit, Error, Input, SessionChange};

use crate::support::*;

#[test]
fn another_answer_and_another_question_continue_the_same_parent() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.say("s", "t2");
        let regenerated = lab.start(ask_again("s", "t3", "t2"));
        assert_eq!(
            (past(&regenerated), texts(&regenerated.input)),
            (vec!["u-t1".into(), "a-t1".into()], vec!["u-t2".into()])
        );
        lab.end(finish(&regenerated, completed("a-t3")));

        let edited = lab.start(ask_after("s", "t4", Some("t1")));
        assert_eq!(past(&edited), ["u-t1", "a-t1"]);
        lab.end(finish(&edited, completed("a-t4")));

        let anew = lab.start(ask_after("s", "t5", None));
        assert!(past(&anew).is_empty());
        lab.end(finish(&anew, completed("a-t5")));

        let parents: Vec<_> = ["t1", "t2", "t3", "t4", "t5"].map(|turn| lab.read_turn(turn).parent).into();
        assert_eq!(parents, [None, Some(id("t1")), Some(id("t1")), Some(id("t1")), None]);
        assert_eq!(lab.session(project(), id("s")).wait().unwrap().unwrap().head, Some(id("t5")));
    });
}

#[test]
fn a_retry_sends_the_same_messages_under_new_ids() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        assert!(matches!(lab.admit(ask_again("s", "t2", "t1")).wait(), Err(Error::NotEnded)));
        lab.end(finish(&first, failed()));
        let again = lab.start(ask_again("s", "t2", "t1"));
        assert_eq!((past(&again), texts(&again.input)), (vec![], vec!["u-t1".into()]));
        assert_eq!(lab.read_turn("t2").kind, Kind::Retry);
        assert_eq!(lab.query("SELECT id, tokens FROM chat_messages WHERE turn_id = 't2'"), ["t2-1|1"]);
        assert!(matches!(lab.admit(ask_again("s", "t3", "t9")).wait(), Err(Error::TurnNotFound)));
        lab.start(ask_new("r", "r1"));
        assert!(matches!(lab.admit(ask_again("r", "r2", "t1")).wait(), Err(Error::TurnNotFound)), "another session's");
    });
}

#[test]
fn a_turn_withdrawn_from_the_queue_can_be_sent_after_all() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        for (turn, ask) in
            [("t2", ask("s", "t2")), ("t3", ask_after("s", "t3", Some("t1"))), ("t4", ask_after("s", "t4", None))]
        {
            lab.queue_up(ask);
            lab.cancel(project(), id(turn), now()).wait().unwrap();
        }
        lab.end(finish(&first, completed("a-t1")));
        lab.say("s", "t5");
        let said = |turn: &str, of: &str| {
            let started = lab.start(ask_again("s", turn, of));
            lab.end(finish(&started, failed()));
            (past(&started), texts(&started.input))
        };
        assert_eq!(said("r2", "t2"), (texts_of(&["u-t1", "a-t1", "u-t5", "a-t5"]), texts_of(&["u-t2"])));
        assert_eq!(said("r3", "t3"), (texts_of(&["u-t1", "a-t1"]), texts_of(&["u-t3"])));
        assert_eq!(said("r4", "t4"), (vec![], texts_of(&["u-t4"])));
    });
}

#[test]
fn an_incomplete_answer_can_be_continued() {
    on_every_engine(|lab| {
        let go_on = |turn: &str, of: &str| {
            let ask_for = input(&format!("{turn}-go"), Message::user("go on"));
            Admit { input: Input::Continue { turn: id(of), ask: ask_for }, ..ask("s", turn) }
        };
        let first = lab.start(ask_new("s", "t1"));
        assert!(matches!(lab.admit(go_on("t2", "t1")).wait(), Err(Error::NotEnded)));
        lab.end(finish(&first, cut_short("half")));
        let second = lab.start(go_on("t2", "t1"));
        assert_eq!((past(&second), texts(&second.input)), (texts_of(&["u-t1", "half"]), texts_of(&["go on"])));
        assert_eq!(lab.read_turn("t2").kind, Kind::Continue);
        lab.end(finish(&second, completed("whole")));
        assert!(matches!(lab.admit(go_on("t3", "t2")).wait(), Err(Error::NotIncomplete)));
        let third = lab.start(ask("s", "t3"));
        lab.end(finish(&third, failed()));
        assert!(matches!(lab.admit(go_on("t4", "t3")).wait(), Err(Error::NotIncomplete)), "it said nothing");
    });
}

#[test]
fn a_plain_select_shows_conversations_in_order_also_with_branches_and_forks() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.say("s", "t2");
        let branch = lab.start(ask_after("s", "t3", Some("t1")));
        lab.end(finish(&branch, completed("a-t3")));
        lab.fork(project(), id("s"), id("t3"), id("f"), None, now()).wait().unwrap();
        lab.say("s", "t4");
        lab.say("f", "t5");
        assert_eq!(
            lab.said("s"),
            [
                "user|u-t1",
                "assistant|a-t1",
                "user|u-t2",
                "assistant|a-t2",
                "user|u-t3",
                "assistant|a-t3",
                "user|u-t4",
                "assistant|a-t4"
            ]
        );
        assert_eq!(
            lab.said("f"),
            ["user|u-t1", "assistant|a-t1", "user|u-t3", "assistant|a-t3", "user|u-t5", "assistant|a-t5"]
        );
    });
}

#[test]
fn a_fork_is_the_path_it_was_made_from() {
    on_every_engine(|lab| {
        let source = store::NewSession {
            system: Some("be kind".into()),
            title: Some("T".into()),
            metadata: serde_json::json!({"k": 1}),
            ..new_session("s")
        };
        lab.create_session(project(), source, None, now()).wait().unwrap();
        for n in 1..=30u8 {
            let started = lab.start(ask("s", &format!("t{n}")));
            let outcome = if n % 7 == 0 { failed() } else { completed(&format!("a-t{n}")) };
            let mut end = finish(&started, outcome);
            end.prompt_hash = Some([n; 32]);
            lab.end(end);
        }
        let branch = lab.start(ask_after("s", "b1", Some("t26")));
        lab.end(finish(&branch, completed("a-b1")));
        let forked = lab.fork(project(), id("s"), id("b1"), id(&"f".repeat(64)), None, later(1)).wait().unwrap();

        let fork = lab.session(project(), forked.clone()).wait().unwrap().unwrap();
        assert_eq!((fork.title.as_deref(), fork.system.as_deref()), (Some("T"), Some("be kind")));
        assert_eq!((fork.turns, fork.queued, fork.running), (27, 0, None));
        let path = |session: &session::id::SessionId, tip: Option<&str>| {
            lab.path(project(), session.clone(), tip.map(id), page(100)).wait().unwrap().messages
        };
        let (old, new) = (path(&id("s"), Some("b1")), path(&forked, None));
        assert_eq!(old.len(), 27 * 2 - 3);
        let messages = |path: &[store::PathMessage]| {
            path.iter().map(|found| (found.message.message.clone(), found.message.timestamp)).collect::<Vec<_>>()
        };
        assert_eq!(messages(&new), messages(&old));
        for (old, new) in old.iter().zip(&new) {
            assert_ne!(old.message.id, new.message.id);
            assert_eq!(new.message.session_id, forked);
            let prompt = |turn: &session::id::TurnId| lab.prompt(project(), turn.clone()).wait().unwrap().unwrap();
            let (old, new) = (prompt(&old.message.turn_id), prompt(&new.message.turn_id));
            assert_eq!((texts(&new.past), texts(&new.input)), (texts(&old.past), texts(&old.input)));
            assert_eq!((new.hash, new.session_system, new.assembler), (old.hash, old.session_system, old.assembler));
        }

        let (there, here) = (
            lab.start(ask_after("s", "x1", Some("b1"))),
            lab.start(Admit { session: store::SessionRef::Existing(forked), ..ask("s", "y1") }),
        );
        assert_eq!(past(&here), past(&there));
    });
}

#[test]
fn a_fork_begins_at_a_turn_that_has_ended_and_has_an_id_of_its_own() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        let running = lab.start(ask("s", "t2"));
        lab.queue_up(ask("s", "t3"));
        lab.cancel(project(), id("t3"), now()).wait().unwrap();
        lab.add_session("r");
        lab.say("r", "r1");
        let before = lab.dump();
        let fork =
            |from: &str, tip: &str, new: &str| lab.fork(project(), id(from), id(tip), id(new), None, now()).wait();
        assert!(matches!(fork("s", "t2", "f"), Err(Error::NotEnded)));
        assert!(matches!(fork("s", "t3", "f"), Err(Error::NotEnded)), "withdrawn: it is on no path");
        assert!(matches!(fork("s", "r1", "f"), Err(Error::TurnNotFound)));
        assert!(matches!(fork("s", "nothing", "f"), Err(Error::TurnNotFound)));
        assert!(matches!(fork("nowhere", "t1", "f"), Err(Error::SessionNotFound)));
        assert!(matches!(fork("s", "t1", "r"), Err(Error::Taken)));
        assert_eq!(lab.dump(), before);
        fork("s", "t1", "f").unwrap();
        lab.end(finish(&running, completed("a")));
        assert_eq!(lab.said("f"), ["user|u-t1", "assistant|a-t1"]);
    });
}

#[test]
fn turns_of_one_tree_know_their_siblings() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.say("s", "t2");
        let said_after = |turn, parent| {
            let started = lab.start(ask_after("s", turn, parent));
            lab.end(finish(&started, completed("a")));
            lab.path(project(), id("s"), Some(id(turn)), page(10)).wait().unwrap().siblings
        };
        said_after("t3", Some("t1"));
        assert_eq!(said_after("t5", Some("t2"))[&id("t5")], [id("t5")], "the first child need not start right after");
        assert_eq!(said_after("t6", None)[&id("t6")], [id("t1"), id("t6")]);
        said_after("t4", Some("t1"));
        let found = lab.path(project(), id("s"), None, page(10)).wait().unwrap();
        assert_eq!(found.siblings[&id("t1")], [id("t1"), id("t6")]);
        assert_eq!(found.siblings[&id("t4")], [id("t2"), id("t3"), id("t4")]);
        assert_eq!(found.turns[&id("t4")].status, Status::Completed);
        let to = SessionChange { head: Some(Some(id("t2"))), ..SessionChange::default() };
        lab.change_session(project(), id("s"), to, now()).wait().unwrap();
        let found = lab.path(project(), id("s"), None, page(10)).wait().unwrap();
        assert!(found.turns.contains_key(&id("t2")) && !found.turns.contains_key(&id("t4")));
    });
}

#[test]
fn a_version_sent_while_another_turn_runs_is_a_sibling_too() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t1");
        lab.say("s", "t2");
        let running = lab.start(ask("s", "t3"));
        lab.queue_up(ask_after("s", "t4", Some("t1")));
        let path = |turn| lab.path(project(), id("s"), Some(id(turn)), page(10)).wait();
        assert!(matches!(path("t4"), Err(Error::NotStarted)));
        assert!(matches!(path("t9"), Err(Error::TurnNotFound)));
        assert_eq!(next(&lab.end(finish(&running, completed("a"))).next), "t4");
        assert_eq!(path("t4").unwrap().siblings[&id("t4")], [id("t2"), id("t4")]);
    });
}

fn texts_of(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
