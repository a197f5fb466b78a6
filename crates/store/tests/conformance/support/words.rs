//! Values that the stories speak of: ids by name, sends, outcomes and events with everything filled in that a story
//! does not care about.

use std::{borrow::Borrow, str::FromStr};

use session::{
    config::Config,
    event::Event,
    id::{Owner, ProjectId},
    lane::{IfBusy, OnFailure, Place},
    message::{Message, ToolCall},
    time::Time,
    title::AutoTitle,
    turn::{Failure, FailureCode, Finish as FinishReason, Outcome, Reason, Status, Usage},
};
use store::{
    Admit, Fence, Finish, Finished, Idempotency, Input, InputMessage, NewSession, NextUp, Order, Page, Parent, Segment,
    SessionRef, Started,
};

pub const HOLD_MS: i64 = 60_000;

pub fn id<T: FromStr>(name: &str) -> T {
    name.parse().unwrap_or_else(|_| panic!("{name:?} is no id"))
}

pub fn project() -> ProjectId {
    id("p")
}

pub fn owner() -> Owner {
    id("me")
}

pub fn now() -> Time {
    Time::from_ms(1_763_850_000_000)
}

pub fn later(ms: i64) -> Time {
    now().plus_ms(ms)
}

pub fn config() -> Config {
    serde_json::from_str(r#"{"name": "c", "provider": "echo", "model": "m"}"#).unwrap()
}

pub fn new_session(name: &str) -> NewSession {
    NewSession {
        id: id(name),
        title: None,
        auto_title: AutoTitle::FirstLine,
        config: None,
        system: None,
        metadata: serde_json::json!({}),
        on_failure: OnFailure::Continue,
    }
}

/// One token, so that sums can be read.
pub fn input(name: &str, message: Message) -> InputMessage {
    InputMessage { id: id(name), message, tokens: 1 }
}

/// A send to a session that is there.
pub fn ask(session: &str, turn: &str) -> Admit {
    let text = format!("u-{turn}");
    Admit {
        project: project(),
        turn: id(turn),
        session: SessionRef::Existing(id(session)),
        input: Input::Messages(vec![input(&text, Message::user(&text))]),
        parent: Parent::Head,
        options: Default::default(),
        metadata: None,
        request: None,
        config: None,
        if_busy: IfBusy::Queue,
        free: false,
        place: Place::Back,
        queue_max: 10,
        key: None,
        owner: owner(),
        now: now(),
    }
}

/// A send that brings its session.
pub fn ask_new(session: &str, turn: &str) -> Admit {
    Admit { session: SessionRef::New(id(session)), ..ask(session, turn) }
}

pub fn ask_busy(session: &str, turn: &str, if_busy: IfBusy) -> Admit {
    Admit { if_busy, ..ask(session, turn) }
}

pub fn ask_after(session: &str, turn: &str, parent: Option<&str>) -> Admit {
    Admit { parent: parent.map_or(Parent::Root, |parent| Parent::Turn(id(parent))), ..ask(session, turn) }
}

/// A send that begins a chain.
pub fn ask_chain(session: &str, turn: &str) -> Admit {
    Admit { free: true, ..ask_new(session, turn) }
}

/// A send that runs beside the lane, where its session is a chain.
pub fn ask_free(session: &str, turn: &str, parent: &str) -> Admit {
    Admit { free: true, ..ask_after(session, turn, Some(parent)) }
}

pub fn ask_again(session: &str, turn: &str, of: &str) -> Admit {
    let ids = vec![id(&format!("{turn}-1")), id(&format!("{turn}-2"))];
    Admit { input: Input::Again { turn: id(of), ids }, place: Place::Front, ..ask(session, turn) }
}

pub fn ask_results(session: &str, turn: &str, calls: &[&str]) -> Admit {
    let result = |call: &&str| input(&format!("{turn}-{call}"), Message::tool(call, &format!("r-{call}")));
    Admit { input: Input::ToolResults(calls.iter().map(result).collect()), place: Place::Front, ..ask(session, turn) }
}

pub fn key(name: &str, body: u8) -> Idempotency {
    Idempotency { caller: "me".into(), path: "/chat".into(), key: name.into(), body_hash: [body; 32] }
}

pub fn fence(started: &Started) -> Fence {
    Fence { project: started.project.clone(), turn: started.turn.clone(), epoch: started.epoch, owner: owner() }
}

pub fn finish(started: &Started, outcome: Outcome) -> Finish {
    finish_by(fence(started), started.session.as_str(), outcome)
}

pub fn finish_by(fence: Fence, session: &str, outcome: Outcome) -> Finish {
    Finish {
        session: id(session),
        answer_id: id(&format!("a-{}", fence.turn)),
        answer_tokens: u32::from(outcome.answer.is_some()),
        outcome,
        rest: None,
        last_seq: 1,
        attempts: 1,
        first_token_ms: None,
        prompt_hash: None,
        interrupted: false,
        hold_ms: HOLD_MS,
        go_on: true,
        now: now(),
        fence,
    }
}

fn outcome(status: Status, answer: Option<Message>) -> Outcome {
    Outcome { status, reason: None, finish: None, answer, model: None, usage: Usage::default(), error: None }
}

pub fn completed(answer: &str) -> Outcome {
    let finish = Some(FinishReason::Stop);
    Outcome { finish, ..outcome(Status::Completed, Some(Message::assistant(answer))) }
}

pub fn failed() -> Outcome {
    let error = Failure::new(FailureCode::UpstreamError, "it broke");
    Outcome { error: Some(error), ..outcome(Status::Failed, None) }
}

pub fn cancelled(answer: Option<&str>) -> Outcome {
    outcome(Status::Cancelled, answer.map(Message::assistant))
}

pub fn cut_short(answer: &str) -> Outcome {
    Outcome { reason: Some(Reason::Length), ..outcome(Status::Incomplete, Some(Message::assistant(answer))) }
}

/// An answer that calls tools.
pub fn called(calls: &[&str]) -> Outcome {
    let call = |call: &&str| ToolCall { id: (*call).into(), name: "f".into(), arguments: "{}".into() };
    let message = Message { tool_calls: calls.iter().map(call).collect(), ..Message::assistant("") };
    Outcome { finish: Some(FinishReason::ToolCalls), ..outcome(Status::Completed, Some(message)) }
}

/// Events that say this, from the number `first_seq` on.
pub fn segment(first_seq: u32, offset: u64, texts: &[&str]) -> Segment {
    let mut offset = offset;
    let events = texts.iter().map(|text| {
        let event = Event::Text { text: (*text).into(), offset };
        offset += text.chars().count() as u64;
        event
    });
    Segment { first_seq, events: events.collect() }
}

pub fn texts(messages: &[impl Borrow<Message>]) -> Vec<String> {
    messages.iter().map(|message| message.borrow().content.text().into_owned()).collect()
}

/// What is sent along with a turn that has started.
pub fn past(started: &Started) -> Vec<String> {
    texts(started.past.as_ref().unwrap())
}

/// The turn that goes on, or what else becomes of the lane.
pub fn next(next: &NextUp) -> String {
    match next {
        NextUp::Started(started) => started.turn.to_string(),
        NextUp::Wait(until) => format!("wait {}", until.since(now())),
        NextUp::Nothing => "nothing".into(),
    }
}

/// The free turns that go on.
pub fn children(ended: &Finished) -> Vec<String> {
    names(&ended.children)
}

pub fn names(started: &[Started]) -> Vec<String> {
    started.iter().map(|started| started.turn.to_string()).collect()
}

pub fn page(limit: u32) -> Page {
    Page { limit, after: None, before: None, order: Order::Asc }
}
