//! Cancel, deletion and shutdown.

use std::time::Duration;

use provider::scripted::{Gate, State, Step};
use session::{
    event::{Event, EventId},
    lane::OnFailure,
    turn::{Reason, Status},
};
use store::Error;

use crate::rig::*;

#[tokio::test]
async fn cancelling_a_running_turn_drops_the_upstream_and_keeps_the_text() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let accepted = rig.send(&session, "hi").await;
    gate.reached(1).await;
    let turn = rig.scheduler.cancel(project(), accepted.turn.clone()).await.unwrap();
    assert_eq!(turn.status, Status::Cancelled);
    rig.scripted.ended(1).await;
    assert_eq!(rig.scripted.calls()[0].state, State::Dropped);
    assert_eq!(rig.path(&session).await, ["u:hi", "a:Hel"]);
    // Again: the same answer.
    assert_eq!(rig.scheduler.cancel(project(), accepted.turn).await.unwrap().status, Status::Cancelled);
}

#[tokio::test]
async fn a_queued_turn_that_is_cancelled_never_runs_and_leaves_no_message() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let second = rig.send(&session, "two").await;
    rig.scheduler.cancel(project(), second.turn.clone()).await.unwrap();
    let live = shown(&all(second.watch).await);
    assert_eq!(live, ["0.1 queued 0", "0.2 cancelled \"\""]);
    assert_eq!(shown(&all(rig.watch(&second.turn, EventId::START)).await), live);
    gate.open();
    first.watch.end().await.unwrap();
    assert_eq!(rig.path(&session).await, ["u:one", "a:Hello"]);
    assert_eq!(rig.scripted.calls().len(), 1);
}

#[tokio::test]
async fn a_deleted_session_ends_its_turns_and_can_be_restored() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let second = rig.send(&session, "two").await;
    gate.reached(1).await;
    rig.scheduler.delete_session(project(), session.clone()).await.unwrap();
    assert!(shown(&all(first.watch).await).last().unwrap().contains("cancelled"));
    assert!(shown(&all(second.watch).await).last().unwrap().contains("cancelled"));
    assert!(matches!(rig.try_send(&session, "three", session::lane::IfBusy::Queue).await, Err(Error::SessionNotFound)));
    rig.scheduler.store().restore_session(project(), session.clone()).await.unwrap();
    assert_eq!(rig.path(&session).await, ["u:one", "a:Hel"]);
}

#[tokio::test]
async fn a_watcher_far_behind_gets_to_the_end_of_a_turn_whose_session_was_deleted() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let (gate, piece) = (Gate::default(), "x".repeat(1000));
    rig.scripted.then((0..2000).map(|_| Step::text(&piece)).chain([Step::Wait(gate.clone())]));
    let accepted = rig.send(&session, "hi").await;
    gate.reached(1).await;
    rig.scheduler.delete_session(project(), session).await.unwrap();
    rig.scripted.ended(1).await;
    // Most of it has left memory.
    let events = all(accepted.watch).await;
    assert!(matches!(&*events[1].event, Event::Text { offset: 0, .. }), "{:?}", events[1]);
    let end = events.last().unwrap().turn.clone().unwrap();
    assert_eq!(end.status, Status::Cancelled);
    assert_eq!(end.answer.as_ref().unwrap().message.content.text().len(), 2_000_000);
    // Nobody else finds it.
    assert!(rig.scheduler.store().turn(project(), accepted.turn).await.unwrap().is_none());
}

#[tokio::test]
async fn a_shutdown_lets_turns_come_to_their_end() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let accepted = rig.send(&session, "one").await;
    gate.reached(1).await;
    let stopping = rig.scheduler.shutdown(Duration::from_secs(60));
    let (turn, ()) = tokio::join!(
        async {
            gate.open();
            accepted.watch.end().await.unwrap()
        },
        stopping
    );
    assert_eq!(turn.status, Status::Completed);
    assert!(matches!(rig.try_send(&session, "two", session::lane::IfBusy::Queue).await, Err(Error::Closed(_))));
}

#[tokio::test]
async fn a_shutdown_without_patience_keeps_what_was_said() {
    let rig = Rig::new(quick()).await;
    let (talking, silent) =
        (rig.session("talking", OnFailure::Continue).await, rig.session("silent", OnFailure::Continue).await);
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let accepted = rig.send(&talking, "one").await;
    gate.reached(1).await;
    rig.scripted.then([Step::Hang]);
    rig.send(&silent, "one").await;
    rig.scripted.called(2).await;
    rig.scheduler.shutdown(Duration::ZERO).await;
    let turn = accepted.watch.end().await.unwrap();
    assert_eq!((turn.status, turn.reason), (Status::Incomplete, Some(Reason::Interrupted)));
    assert_eq!(turn.answer.as_ref().unwrap().message.content.text(), "Hel");
    // Of this one nothing was said: the next start runs it again.
    assert_eq!(rig.turns(&silent).await, ["1 running"]);
}
