//! A turn's events are one log: every watcher, however cut, late or slow, sees the same.

use std::time::Duration;

use provider::scripted::{Gate, Step};
use session::{
    event::{Delta, EventId, ReasoningKind},
    lane::OnFailure,
    turn::FailureCode,
};

use crate::rig::*;

fn story() -> Vec<Step> {
    let thought = |text: &str| Step::Delta(Delta::Reasoning { text: text.into(), kind: ReasoningKind::Text });
    vec![thought("hm "), thought("ah"), Step::text("你好"), Step::text(", "), Step::text("world"), Step::stop()]
}

#[tokio::test]
async fn a_watcher_cut_after_any_event_goes_on_right_behind_it_live_and_replayed() {
    for settings in [quick(), strict()] {
        let rig = Rig::new(settings).await;
        let session = rig.session("s", OnFailure::Continue).await;
        let gate = Gate::default();
        let mut steps = story();
        steps.insert(3, Step::Wait(gate.clone()));
        rig.scripted.then(steps);
        let accepted = rig.send(&session, "hi").await;
        gate.reached(1).await;
        let late = rig.watch(&accepted.turn, EventId::START);
        gate.open();
        let uncut = all(accepted.watch).await;
        assert_eq!(shown(&all(late).await), shown(&uncut));
        for (at, event) in uncut.iter().enumerate() {
            let rest = all(rig.watch(&accepted.turn, event.id)).await;
            assert_eq!(shown(&rest), shown(&uncut[at + 1..]), "behind {}", event.id);
        }
        let replayed = all(rig.watch(&accepted.turn, EventId::START)).await;
        assert_eq!(shown(&replayed), shown(&uncut));
    }
}

#[tokio::test]
async fn numbers_go_up_by_one_and_the_end_comes_last_and_once() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then(story());
    let events = all(rig.send(&session, "hi").await.watch).await;
    let numbers: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let expected: Vec<EventId> = (1..=events.len() as u32).map(|seq| EventId::new(1, seq)).collect();
    assert_eq!(numbers, expected);
    let ends: Vec<usize> = (0..events.len()).filter(|at| events[*at].turn.is_some()).collect();
    assert_eq!(ends, [events.len() - 1]);
}

#[tokio::test]
async fn a_watcher_that_does_not_read_does_not_slow_the_turn() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let piece = "x".repeat(1000);
    rig.scripted.then((0..2000).map(|_| Step::text(&piece)).chain([Step::stop()]));
    let accepted = rig.send(&session, "hi").await;
    let ended = rig.watch(&accepted.turn, EventId::START).end().await.unwrap();
    // Two megabytes went by; what left memory is read from the store.
    let events = all(accepted.watch).await;
    let text: usize = events
        .iter()
        .map(|event| match &*event.event {
            session::event::Event::Text { text, .. } => text.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(text, 2_000_000);
    assert_eq!(ended.answer.as_ref().unwrap().message.content.text().len(), 2_000_000);
}

#[tokio::test]
async fn who_waits_for_the_end_alone_needs_nothing_that_has_left_memory() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let (gate, piece) = (Gate::default(), "x".repeat(1000));
    let pieces = (0..1000).map(|_| Step::text(&piece));
    rig.scripted.then(pieces.chain([Step::Wait(gate.clone()), Step::stop()]));
    let accepted = rig.send(&session, "hi").await;
    gate.reached(1).await;
    // Its beginning has left memory once it is stored.
    let stored = || rig.scheduler.store().events(project(), accepted.turn.clone(), EventId::START);
    while stored().await.unwrap().unwrap().events.len() < 1000 {
        tokio::task::yield_now().await;
    }
    let file = rusqlite::Connection::open(rig.dir.path().join("turnwise.db")).unwrap();
    file.execute("UPDATE chat_segments SET body = x'00'", []).unwrap();
    assert!(stored().await.is_err(), "it cannot be read any more");
    gate.open();
    let ended = accepted.watch.end().await.unwrap();
    assert_eq!(ended.answer.as_ref().unwrap().message.content.text().len(), 1_000_000);
}

#[tokio::test]
async fn what_is_shown_strictly_is_stored_before() {
    let rig = Rig::new(strict()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let mut accepted = rig.send(&session, "hi").await;
    let seen = accepted.watch.next().await.unwrap().unwrap();
    let stored = rig.scheduler.store().events(project(), accepted.turn.clone(), EventId::START).await.unwrap().unwrap();
    let last = seen.last().unwrap().id;
    assert!(stored.events.iter().any(|event| event.id == last), "{last} was shown and is not stored");
    gate.open();
    accepted.watch.end().await.unwrap();
}

#[tokio::test]
async fn that_a_turn_has_started_is_shown_strictly_before_its_model_speaks() {
    let rig = Rig::new(strict()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then([Step::Wait(gate.clone()), Step::text("ok"), Step::stop()]);
    let mut accepted = rig.send(&session, "hi").await;
    let seen = tokio::time::timeout(Duration::from_secs(5), accepted.watch.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(shown(&seen), ["1.1 started m 1"]);
    gate.open();
    accepted.watch.end().await.unwrap();
}

#[tokio::test]
async fn a_turn_that_waits_says_so_and_goes_on_in_the_same_stream() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let second = rig.send(&session, "two").await;
    gate.open();
    first.watch.end().await.unwrap();
    let turn = second.turn.clone();
    let live = shown(&all(second.watch).await);
    assert_eq!(
        live,
        ["0.1 queued 0", "1.1 started m 1", "1.2 text 0 \"ok\"", "1.3 done message 0", "1.4 completed \"ok\""]
    );
    assert_eq!(shown(&all(rig.watch(&turn, EventId::START)).await), live);
}

#[tokio::test]
async fn what_was_said_before_a_failure_is_kept_and_sent_later() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then([Step::text("half an ans"), Step::fail(FailureCode::UpstreamError)]);
    let events = all(rig.send(&session, "hi").await.watch).await;
    assert_eq!(shown(&events).last().unwrap(), "1.4 failed upstream_error \"half an ans\"");
    rig.send(&session, "again").await.watch.end().await.unwrap();
    let sent: Vec<String> = rig.scripted.calls()[1].messages().into_iter().map(|(_, text)| text).collect();
    assert_eq!(sent, ["hi", "half an ans", "again"]);
}

#[tokio::test]
async fn the_text_so_far_is_what_the_events_said() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let mut accepted = rig.send(&session, "hi").await;
    gate.reached(1).await;
    let seen = tokio::time::timeout(Duration::from_secs(5), accepted.watch.next()).await.unwrap().unwrap().unwrap();
    let active = rig.scheduler.active(&project(), &accepted.turn).await.unwrap().unwrap();
    assert!(active.last >= seen.last().unwrap().id);
    gate.open();
    accepted.watch.end().await.unwrap();
    assert!(rig.scheduler.active(&project(), &accepted.turn).await.unwrap().is_none());
}
