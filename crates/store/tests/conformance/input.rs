//! What a turn is asked with: messages of any role, and messages that nobody is asked to answer.

use session::{
    lane::Place,
    message::{Message, ToolCall},
    turn::{Finish as FinishReason, Kind, Outcome, Status},
};
use store::{Admit, Admitted, Error, Input, InputMessage, NextUp, SessionRef};

use crate::support::*;

fn asked(turn: &str, messages: Vec<Message>) -> Vec<InputMessage> {
    messages.into_iter().zip(1..).map(|(message, at)| input(&format!("{turn}-{at}"), message)).collect()
}

fn insert(session: &str, turn: &str, messages: Vec<Message>) -> Admit {
    Admit { input: Input::Insert(asked(turn, messages)), ..ask(session, turn) }
}

fn put_in() -> Outcome {
    Outcome { answer: None, ..completed("") }
}

fn calls(ids: &[&str]) -> Message {
    let call = |id: &&str| ToolCall { id: (*id).into(), name: "f".into(), arguments: "{}".into() };
    Message { tool_calls: ids.iter().map(call).collect(), ..Message::assistant("") }
}

#[test]
fn an_assistants_message_may_be_asked_with_and_is_not_taken_for_the_answer() {
    on_every_engine(|lab| {
        let history = vec![Message::user("u"), Message::assistant("a"), Message::user("v"), Message::assistant("pre")];
        let started = lab.start(Admit { input: Input::Messages(asked("t1", history)), ..ask_new("s", "t1") });
        assert_eq!(texts(&started.input), ["u", "a", "v", "pre"]);
        lab.end(finish(&started, failed()));
        let turn = lab.read_turn("t1");
        assert_eq!((turn.asked, turn.answer.is_none()), (4, true));
        assert!(lab.input_message(project(), id("t1-2")).wait().unwrap().is_some());

        let again = lab.start(ask_four_again());
        assert_eq!(texts(&again.input), ["u", "a", "v", "pre"]);
        lab.end(finish(&again, completed("answer")));
        let turn = lab.read_turn("t2");
        assert_eq!(turn.answer.as_ref().unwrap().message.content.text(), "answer");
        let prompt = lab.prompt(project(), id("t2")).wait().unwrap().unwrap();
        assert_eq!(texts(&prompt.input), ["u", "a", "v", "pre"]);
        assert!(lab.input_message(project(), turn.answer.unwrap().id).wait().unwrap().is_none());
    });
}

fn ask_four_again() -> Admit {
    let ids = (1..=4).map(|at| id(&format!("t2-{at}"))).collect();
    Admit { input: Input::Again { turn: id("t1"), ids }, place: Place::Front, ..ask("s", "t2") }
}

#[test]
fn messages_put_in_are_in_later_histories() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        let waits = lab.admit(insert("s", "t2", vec![Message::user("u"), Message::assistant("a")])).wait().unwrap();
        assert!(matches!(waits, Admitted::Queued { position: 0, .. }), "the lane is kept in order");
        lab.queue_up(ask("s", "t3"));
        let NextUp::Started(second) = lab.end(finish(&first, completed("a1"))).next else { panic!() };
        assert_eq!((second.kind, second.config.is_none()), (Kind::Insert, true));
        let NextUp::Started(third) = lab.end(finish(&second, put_in())).next else { panic!() };
        assert_eq!(past(&third), ["u-t1", "a1", "u", "a"]);
        let turn = lab.read_turn("t2");
        assert_eq!((turn.status, turn.asked, turn.answer.is_none()), (Status::Completed, 2, true));
        assert_eq!(lab.said("s"), ["user|u-t1", "assistant|a1", "user|u", "assistant|a", "user|u-t3"]);
    });
}

#[test]
fn messages_are_put_into_a_session_whose_config_has_gone() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.end(finish(&first, completed("a1")));
        lab.delete_config(project(), id("c"), now()).wait().unwrap();
        let started = lab.start(insert("s", "t2", vec![Message::user("u")]));
        lab.end(finish(&started, put_in()));
        assert_eq!(lab.read_turn("t2").config, None);
    });
}

#[test]
fn results_answer_calls_that_were_put_in() {
    on_every_engine(|lab| {
        let first = lab.start(Admit {
            session: SessionRef::New(id("s")),
            ..insert("s", "t1", vec![Message::user("u"), calls(&["x", "y"]), Message::tool("x", "1")])
        });
        lab.end(finish(&first, put_in()));
        let refused = lab.admit(ask_results("s", "t2", &["x"])).wait();
        assert!(matches!(refused, Err(Error::NoToolCalls | Error::ToolCallsSuperseded)), "that one is answered");
        let results = lab.start(ask_results("s", "t3", &["y"]));
        assert_eq!(past(&results), ["u", "", "1"]);
        lab.end(finish(&results, Outcome { finish: Some(FinishReason::ToolCalls), ..called(&["z"]) }));
        let rest = insert("s", "t4", vec![Message::tool("z", "3"), Message::assistant("so")]);
        let put = lab.start(Admit { place: Place::Front, ..rest });
        assert_eq!(past(&put), ["u", "", "1", "r-y", ""]);
        lab.end(finish(&put, put_in()));
        let unknown = lab.admit(insert("s", "t5", vec![Message::tool("nobody", "3")])).wait();
        assert!(matches!(unknown, Err(Error::NoToolCalls)));
    });
}

#[test]
fn what_the_surface_keeps_comes_back_and_goes_along_with_a_fork() {
    on_every_engine(|lab| {
        let request = Some(serde_json::json!({"background": true}));
        let first = lab.start(Admit { request: request.clone(), ..ask_new("s", "t1") });
        lab.queue_up(Admit { request: request.clone(), ..ask("s", "t2") });
        assert_eq!(lab.read_turn("t2").request, request);
        lab.end(finish(&first, completed("a1")));
        assert_eq!(lab.read_turn("t1").request, request);
        lab.fork(project(), id("s"), id("t1"), id("f"), None, now()).wait().unwrap();
        let page = lab.path(project(), id("f"), None, page(10)).wait().unwrap();
        let copies: Vec<_> = page.turns.values().map(|turn| (turn.request.clone(), turn.asked)).collect();
        assert_eq!(copies, [(request, 1)]);
    });
}
