//! Turns that nothing is kept of: they read what there is, and leave no trace.

use std::time::Duration;

use provider::scripted::{Gate, State, Step};
use scheduler::{Ask, AskInput, Durability, Settings};
use session::{
    event::Event,
    id::SessionId,
    lane::OnFailure,
    message::{Message, ToolCall},
    turn::Status,
};
use store::{Error, Parent, SessionRef};

use crate::rig::*;

fn aside(session: Option<&SessionId>, messages: Vec<Message>) -> Ask {
    Ask { session: session.cloned().map(SessionRef::Existing), ..ask(&id("nobody"), AskInput::Messages(messages)) }
}

#[tokio::test]
async fn it_answers_behind_the_session_and_leaves_it_as_it_was() {
    for durability in [Durability::Relaxed, Durability::Strict] {
        let rig = Rig::new(Settings { durability, ..quick() }).await;
        let session = rig.session("s", OnFailure::Continue).await;
        rig.send(&session, "one").await.watch.end().await.unwrap();
        rig.scripted.then([Step::text("a"), Step::text("side"), Step::stop()]);
        let commits = rig.scheduler.store().stats().commits();
        let begun = rig.scheduler.aside(aside(Some(&session), vec![Message::user("two")])).await.unwrap();
        let events = all(begun.watch).await;
        let ended = events.last().and_then(|shown| shown.turn.clone()).unwrap();
        assert_eq!((&ended.id, ended.status), (&begun.turn.id, Status::Completed));
        assert_eq!(ended.answer.as_ref().unwrap().message.content.text(), "aside");
        assert_eq!(shown(&events).len(), events.last().unwrap().id.seq as usize, "no number is left out");

        let sent: Vec<String> = rig.scripted.calls()[1].messages().into_iter().map(|(_, text)| text).collect();
        assert_eq!(sent, ["one", "ok", "two"]);
        assert_eq!(rig.path(&session).await, ["u:one", "a:ok"]);
        let store = rig.scheduler.store();
        assert_eq!(store.stats().commits(), commits, "nothing was written");
        assert!(store.turn(project(), ended.id.clone()).await.unwrap().is_none());
        assert!(store.events(project(), ended.id.clone(), Default::default()).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn without_a_session_the_whole_list_is_sent_as_it_is() {
    let rig = Rig::new(quick()).await;
    let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into() };
    let list = vec![
        Message::system("be brief"),
        Message::user("one"),
        Message { tool_calls: vec![call], ..Message::assistant("") },
        Message::tool("c1", "42"),
        Message::assistant("it is 42"),
        Message::user("two"),
    ];
    let begun = rig.scheduler.aside(aside(None, list)).await.unwrap();
    assert_eq!(begun.watch.end().await.unwrap().status, Status::Completed);
    let roles: Vec<String> = rig.scripted.calls()[0].messages().into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "user"]);
    assert!(rig.scheduler.store().session(project(), begun.turn.session).await.unwrap().is_none());
}

#[tokio::test]
async fn it_does_not_wait_for_a_busy_lane_and_the_feed_does_not_hear_of_it() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let running = rig.send(&session, "one").await;
    rig.scripted.called(1).await;
    let before = rig.scheduler.feed().cursor(&project());
    let begun = rig.scheduler.aside(aside(Some(&session), vec![Message::user("two")])).await.unwrap();
    let ended = begun.watch.end().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    let after = rig.scheduler.feed().cursor(&project());
    gate.open();
    running.watch.end().await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn it_ends_when_its_watcher_leaves() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let begun = rig.scheduler.aside(aside(None, vec![Message::user("one")])).await.unwrap();
    gate.reached(1).await;
    drop(begun);
    rig.scripted.ended(1).await;
    assert_eq!(rig.scripted.calls()[0].state, State::Dropped);
}

#[tokio::test]
async fn a_shutdown_without_patience_says_so_and_keeps_what_was_said() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    rig.scripted.then([Step::Wait(gate.clone()), Step::text("late"), Step::stop()]);
    rig.scripted.then(halves(&gate));
    let silent = rig.scheduler.aside(aside(None, vec![Message::user("one")])).await.unwrap();
    rig.scripted.called(1).await;
    let mut begun = rig.scheduler.aside(aside(None, vec![Message::user("two")])).await.unwrap();
    gate.reached(2).await;
    // Until its first half is heard.
    while !begun.watch.next().await.unwrap().unwrap().iter().any(|shown| matches!(&*shown.event, Event::Text { .. })) {}
    rig.scheduler.shutdown(Duration::ZERO).await;
    assert!(matches!(silent.watch.end().await, Err(Error::Closed(_))), "another server can be asked");
    let ended = begun.watch.end().await.unwrap();
    assert_eq!(ended.answer.as_ref().unwrap().message.content.text(), "Hel");
    let late = rig.scheduler.aside(aside(None, vec![Message::user("three")])).await;
    assert!(matches!(late.err(), Some(Error::Closed(_))));
}

#[tokio::test]
async fn what_admission_refuses_is_refused() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let refused = async |ask| rig.scheduler.aside(ask).await.err();
    let unknown = aside(Some(&id("unknown")), vec![Message::user("one")]);
    assert!(matches!(refused(unknown).await, Some(Error::SessionNotFound)));
    let parent =
        Ask { parent: Parent::Turn("t".parse().unwrap()), ..aside(Some(&session), vec![Message::user("one")]) };
    assert!(matches!(refused(parent).await, Some(Error::TurnNotFound)));
    assert!(matches!(refused(aside(None, vec![Message::tool("c", "1")])).await, Some(Error::NoToolCalls)));
    assert_eq!(rig.scripted.calls().len(), 0);
}
