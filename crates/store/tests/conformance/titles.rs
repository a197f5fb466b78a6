//! Titles that a model makes: asked for once, and never above a name that somebody gave.

use session::{
    message::{Message, ToolCall},
    title::AutoTitle,
};
use store::{Finished, NewSession, SessionChange};

use crate::support::*;

fn by_model(name: &str) -> NewSession {
    NewSession { auto_title: AutoTitle::Model, ..new_session(name) }
}

fn title(lab: &Lab, session: &str) -> Option<String> {
    lab.session(project(), id(session)).wait().unwrap().unwrap().title
}

fn made(lab: &Lab, session: &str, title: &str) -> bool {
    lab.title_made(project(), id(session), title.into()).wait().unwrap()
}

fn change(lab: &Lab, session: &str, change: SessionChange) {
    lab.change_session(project(), id(session), change, now()).wait().unwrap();
}

fn named(title: Option<&str>) -> SessionChange {
    SessionChange { title: Some(title.map(str::to_owned)), ..SessionChange::default() }
}

/// Ends the turn that this starts.
fn ends(lab: &Lab, session: &str, turn: &str, outcome: session::turn::Outcome) -> Finished {
    let started = lab.start(ask(session, turn));
    lab.end(finish(&started, outcome))
}

#[test]
fn the_first_turn_that_is_answered_asks_for_a_title_once() {
    on_every_engine(|lab| {
        lab.create_session(project(), by_model("s"), None, now()).wait().unwrap();
        assert!(!ends(lab, "s", "t1", failed()).wants_title);
        assert!(!ends(lab, "s", "t2", cut_short("half")).wants_title);
        let calls = session::turn::Outcome {
            answer: Some(Message {
                tool_calls: vec![ToolCall { id: "c".into(), name: "n".into(), arguments: "{}".into() }],
                ..Message::assistant("I look.")
            }),
            ..completed("")
        };
        assert!(!ends(lab, "s", "t3", calls).wants_title);
        assert!(!ends(lab, "s", "t4", completed("")).wants_title);
        assert!(!made(lab, "s", "too early"));
        assert!(ends(lab, "s", "t5", completed("answer")).wants_title);
        assert!(!ends(lab, "s", "t6", completed("answer")).wants_title, "asked for already");
        assert_eq!(title(lab, "s").as_deref(), Some("u-t1"));
        assert!(made(lab, "s", "A title"));
        assert_eq!(title(lab, "s").as_deref(), Some("A title"));
        assert!(!made(lab, "s", "Another"), "it is made once");
        assert!(!ends(lab, "s", "t7", completed("answer")).wants_title);
    });
}

#[test]
fn a_name_that_somebody_gave_stands() {
    on_every_engine(|lab| {
        lab.create_session(project(), by_model("s"), None, now()).wait().unwrap();
        assert!(lab.say("s", "t1").wants_title);
        change(lab, "s", named(Some("Mine")));
        assert!(!made(lab, "s", "A title"));
        assert_eq!(title(lab, "s").as_deref(), Some("Mine"));
        assert!(!lab.say("s", "t2").wants_title);

        change(lab, "s", named(None));
        assert!(lab.say("s", "t3").wants_title, "taken back: it makes itself again");
        assert!(made(lab, "s", "A title"));

        let given = NewSession { title: Some("Given".into()), ..by_model("given") };
        lab.create_session(project(), given, None, now()).wait().unwrap();
        assert!(!lab.say("given", "g1").wants_title);
    });
}

#[test]
fn only_sessions_that_want_one_are_given_one() {
    on_every_engine(|lab| {
        lab.add_session("s");
        assert!(!lab.say("s", "t1").wants_title);
        change(lab, "s", SessionChange { auto_title: Some(AutoTitle::Model), ..SessionChange::default() });
        assert!(lab.say("s", "t2").wants_title);
        change(lab, "s", SessionChange { auto_title: Some(AutoTitle::FirstLine), ..SessionChange::default() });
        assert!(!made(lab, "s", "A title"));
        assert!(!made(lab, "nowhere", "A title"));
    });
}

#[test]
fn a_session_that_is_gone_gets_no_title_and_a_copy_keeps_the_one_it_has() {
    on_every_engine(|lab| {
        lab.create_session(project(), by_model("s"), None, now()).wait().unwrap();
        assert!(lab.say("s", "t1").wants_title);
        lab.fork(project(), id("s"), id("t1"), id("copy"), None, now()).wait().unwrap();
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        assert!(!made(lab, "s", "A title"));
        assert!(!made(lab, "copy", "A title"));
        let copy = lab.session(project(), id("copy")).wait().unwrap().unwrap();
        assert_eq!((copy.title.as_deref(), copy.auto_title), (Some("u-t1"), AutoTitle::Model));
    });
}
