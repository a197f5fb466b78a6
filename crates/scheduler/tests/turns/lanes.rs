//! One session runs one turn at a time, in order; sessions do not wait for each other.

use provider::scripted::{Gate, Step};
use scheduler::AskInput;
use session::{
    event::Delta,
    lane::{IfBusy, OnFailure},
    message::Message,
    turn::{FailureCode, Finish, Kind, Status},
};
use store::Error;

use crate::rig::*;

#[tokio::test]
async fn sends_to_different_sessions_run_at_once() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    let mut waiting = Vec::new();
    for name in ["a", "b", "c"] {
        let session = rig.session(name, OnFailure::Continue).await;
        rig.scripted.then([Step::Wait(gate.clone()), Step::text(name), Step::stop()]);
        waiting.push((name, rig.send(&session, name).await));
        // Each gets the script made for it.
        rig.scripted.called(waiting.len()).await;
    }
    gate.reached(3).await;
    gate.open();
    for (name, accepted) in waiting {
        let turn = accepted.watch.end().await.unwrap();
        assert_eq!(turn.answer.as_ref().unwrap().message.content.text(), name);
    }
}

#[tokio::test]
async fn sends_to_one_session_at_the_same_moment_run_in_one_order_each_with_all_answers_before_it() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.otherwise(|call| vec![Step::text(&format!("a{}", call.number)), Step::stop()]);
    let texts: Vec<String> = (0..10).map(|n| format!("u{n}")).collect();
    let sends = texts.iter().map(|text| rig.send(&session, text));
    let accepted = futures_util::future::join_all(sends).await;
    for accepted in accepted {
        assert_eq!(accepted.watch.end().await.unwrap().status, Status::Completed);
    }
    let path = rig.path(&session).await;
    assert_eq!(path.len(), 20);
    for (at, call) in rig.scripted.calls().iter().enumerate() {
        let sent: Vec<String> = call
            .messages()
            .into_iter()
            .map(|(role, text)| format!("{}:{text}", if role == "user" { "u" } else { "a" }))
            .collect();
        assert_eq!(sent, path[..=2 * at], "call {at}");
    }
}

#[tokio::test]
async fn reject_names_the_turn_in_the_way() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    match rig.try_send(&session, "two", IfBusy::Reject).await {
        Err(Error::Busy { turn }) => assert_eq!(turn, Some(first.turn.clone())),
        other => panic!("{:?}", other.map(|accepted| accepted.turn)),
    }
    gate.open();
    first.watch.end().await.unwrap();
    assert_eq!(rig.turns(&session).await, ["1 completed Hello"]);
}

#[tokio::test]
async fn interrupt_ends_the_running_turn_keeps_its_text_and_goes_before_the_queue() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Pause).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let queued = rig.send(&session, "two").await;
    assert_eq!(queued.position, Some(0));
    gate.reached(1).await;
    let third = rig.try_send(&session, "three", IfBusy::Interrupt).await.unwrap();
    assert_eq!(first.watch.end().await.unwrap().status, Status::Cancelled);
    third.watch.end().await.unwrap();
    queued.watch.end().await.unwrap();
    assert_eq!(rig.path(&session).await, ["u:one", "a:Hel", "u:three", "a:ok", "u:two", "a:ok"]);
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let rig = Rig::new(scheduler::Settings { queue_max: 2, ..quick() }).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let mut accepted = vec![];
    for text in ["one", "two", "three"] {
        accepted.push(rig.send(&session, text).await);
    }
    assert!(matches!(rig.try_send(&session, "four", IfBusy::Queue).await, Err(Error::QueueFull { max: 2 })));
    gate.open();
    for accepted in accepted {
        accepted.watch.end().await.unwrap();
    }
    assert_eq!(rig.turns(&session).await.len(), 3);
}

#[tokio::test]
async fn a_failed_turn_pauses_the_queue_until_it_is_resumed() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Pause).await;
    let gate = Gate::default();
    rig.scripted.then([Step::Wait(gate.clone()), Step::fail(FailureCode::UpstreamKeyRejected)]);
    let first = rig.send(&session, "one").await;
    let second = rig.send(&session, "two").await;
    gate.open();
    first.watch.end().await.unwrap();
    assert_eq!(rig.turns(&session).await, ["1 failed", "- queued"]);
    rig.scheduler.resume(project(), session.clone()).await.unwrap();
    second.watch.end().await.unwrap();
    assert_eq!(rig.turns(&session).await, ["1 failed", "2 completed ok"]);
    // What failed without a word is shown, and not sent.
    assert_eq!(rig.scripted.calls()[1].messages(), [("user".into(), "two".into())]);
}

#[tokio::test]
async fn tool_results_overtake_what_waits_and_the_history_stays_valid() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then([call("c1"), Step::Delta(Delta::Finish(Finish::ToolCalls))]);
    let first = rig.send(&session, "weather?").await;
    assert_eq!(first.watch.end().await.unwrap().finish, Some(Finish::ToolCalls));
    let waits = rig.send(&session, "and tomorrow?").await;
    assert_eq!(waits.position, Some(0));
    let results = AskInput::ToolResults(vec![("c1".into(), "rain".into())]);
    let answered = rig.scheduler.admit(ask(&session, results)).await.unwrap();
    assert_eq!(answered.position, None);
    answered.watch.end().await.unwrap();
    waits.watch.end().await.unwrap();
    assert_eq!(rig.path(&session).await, ["u:weather?", "a:", "t:rain", "a:ok", "u:and tomorrow?", "a:ok"]);
    let roles = |call: usize| -> Vec<String> {
        rig.scripted.calls()[call].messages().into_iter().map(|(role, _)| role).collect()
    };
    assert_eq!(roles(1), ["user", "assistant", "tool"]);
    assert_eq!(roles(2), ["user", "assistant", "tool", "assistant", "user"]);
}

#[tokio::test]
async fn a_lane_goes_on_without_tool_results_after_its_wait_and_repairs_the_history() {
    let rig = Rig::new(scheduler::Settings { hold_ms: 20, ..quick() }).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then([call("c1"), Step::Delta(Delta::Finish(Finish::ToolCalls))]);
    rig.send(&session, "weather?").await.watch.end().await.unwrap();
    rig.send(&session, "never mind").await.watch.end().await.unwrap();
    assert!(rig.scripted.calls()[1].messages().contains(&("tool".into(), "(no result was given)".into())));
    let late = AskInput::ToolResults(vec![("c1".into(), "rain".into())]);
    let late = rig.scheduler.admit(ask(&session, late)).await;
    assert!(matches!(late, Err(Error::ToolCallsSuperseded)));
}

#[tokio::test]
async fn a_config_admits_no_more_calls_at_once_than_it_says() {
    let rig = Rig::new(quick()).await;
    rig.change_config(|config| config.max_concurrency = Some(2)).await;
    let gate = Gate::default();
    let held = gate.clone();
    rig.scripted.otherwise(move |_| vec![Step::Wait(held.clone()), Step::text("ok"), Step::stop()]);
    let mut accepted = vec![];
    for name in ["a", "b", "c", "d"] {
        let session = rig.session(name, OnFailure::Continue).await;
        accepted.push(rig.send(&session, "hi").await);
    }
    gate.reached(2).await;
    assert_eq!(rig.scripted.calls().len(), 2);
    gate.open();
    for accepted in accepted {
        accepted.watch.end().await.unwrap();
    }
    assert_eq!(rig.scripted.calls().len(), 4);
}

#[tokio::test]
async fn a_panic_ends_its_turn_and_nothing_else() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.otherwise(|call| match call.messages().last().unwrap().1.as_str() {
        "boom" => panic!("a defect"),
        _ => vec![Step::text("ok"), Step::stop()],
    });
    let first = rig.send(&session, "boom").await;
    let turn = first.watch.end().await.unwrap();
    assert_eq!(turn.error.as_ref().unwrap().code, FailureCode::Internal);
    rig.send(&session, "hi").await.watch.end().await.unwrap();
    assert_eq!(rig.turns(&session).await, ["1 failed", "2 completed ok"]);
}

fn call(id: &str) -> Step {
    let (id, name) = (Some(id.to_owned()), Some("weather".to_owned()));
    Step::Delta(Delta::ToolCall { index: 0, id, name, arguments: "{}".into() })
}

#[tokio::test]
async fn messages_put_in_wait_for_their_place_and_ask_nobody() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let messages = vec![Message::user("two"), Message::assistant("put in")];
    let insert = rig.scheduler.admit(ask(&session, AskInput::Insert(messages))).await.unwrap();
    let last = rig.send(&session, "three").await;
    assert_eq!(insert.position, Some(0));
    gate.open();
    first.watch.end().await.unwrap();
    let ended = insert.watch.end().await.unwrap();
    assert_eq!((ended.kind, ended.status, ended.answer.is_none()), (Kind::Insert, Status::Completed, true));
    last.watch.end().await.unwrap();
    assert_eq!(rig.scripted.calls().len(), 2);
    assert_eq!(rig.path(&session).await, ["u:one", "a:Hello", "u:two", "a:put in", "u:three", "a:ok"]);
    let sent: Vec<String> = rig.scripted.calls()[1].messages().into_iter().map(|(_, text)| text).collect();
    assert_eq!(sent, ["one", "Hello", "two", "put in", "three"]);
}
