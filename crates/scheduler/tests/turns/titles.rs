//! Titles made aside from the lane.

use std::time::Duration;

use prometheus_client::registry::Registry;
use provider::scripted::{Gate, Scripted, State, Step};
use scheduler::{Follow, Followed, Notice};
use session::{
    id::SessionId,
    lane::OnFailure,
    title::AutoTitle,
    turn::{FailureCode, Status},
};
use store::SessionChange;

use crate::rig::*;

async fn wants_title(rig: &Rig, name: &str) -> SessionId {
    let session = rig.session(name, OnFailure::Continue).await;
    change(rig, &session, SessionChange { auto_title: Some(AutoTitle::Model), ..Default::default() }).await;
    session
}

async fn change(rig: &Rig, session: &SessionId, change: SessionChange) {
    rig.scheduler.store().change_session(project(), session.clone(), change, CLOCK.now()).await.unwrap();
}

async fn title(rig: &Rig, session: &SessionId) -> String {
    rig.scheduler.store().session(project(), session.clone()).await.unwrap().unwrap().title.unwrap()
}

/// Waits until the feed tells that the session has changed.
async fn updated(feed: &mut Follow) {
    loop {
        let Followed::Notices(notices) = feed.next().await else { panic!("the feed was reset") };
        if notices.iter().any(|(_, notice)| matches!(**notice, Notice::SessionUpdated { .. })) {
            return;
        }
    }
}

/// Until a title was given up.
async fn skipped(rig: &Rig) {
    let mut registry = Registry::default();
    rig.scheduler.stats().register(&mut registry);
    let counted = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text.contains("titles_total{outcome=\"skipped\"} 1")
    };
    let skipped = async {
        while !counted() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), skipped).await.unwrap();
}

/// Until everything that runs beside the lanes is done.
async fn done(rig: &Rig) {
    rig.scheduler.shutdown(Duration::from_secs(5)).await;
}

fn is_title(scripted: &Scripted, call: usize) -> bool {
    scripted.calls()[call].messages()[0].1.starts_with("You name conversations.")
}

#[tokio::test]
async fn a_title_is_made_of_the_first_exchange() {
    let rig = Rig::new(quick()).await;
    let session = wants_title(&rig, "s").await;
    let mut feed = rig.scheduler.feed().follow(&project(), None);
    rig.scripted.then([Step::text("In April."), Step::stop()]);
    rig.scripted.then([Step::text("\"When to see Kyoto\"."), Step::stop()]);
    let sent = rig.send(&session, "When is Kyoto best?").await;
    sent.watch.end().await.unwrap();
    updated(&mut feed).await;
    assert_eq!(title(&rig, &session).await, "When to see Kyoto");

    let calls = rig.scripted.calls();
    assert_eq!(calls.len(), 2);
    let asked = &calls[1].messages()[1].1;
    assert!(asked.contains("When is Kyoto best?") && asked.contains("In April."), "{asked}");
    assert_eq!(rig.path(&session).await, ["u:When is Kyoto best?", "a:In April."], "nothing of it is a message");

    rig.send(&session, "And then?").await.watch.end().await.unwrap();
    done(&rig).await;
    assert_eq!(rig.scripted.calls().len(), 3, "made once");
}

#[tokio::test]
async fn nobody_is_asked_for_a_title_that_nobody_wants() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.send(&session, "one").await.watch.end().await.unwrap();
    done(&rig).await;
    assert_eq!(rig.scripted.calls().len(), 1);
}

#[tokio::test]
async fn a_title_call_that_fails_or_says_nothing_leaves_the_first_line() {
    for steps in
        [vec![Step::fail(FailureCode::UpstreamError)], vec![Step::text("<think>hm"), Step::stop()], vec![Step::stop()]]
    {
        let rig = Rig::new(quick()).await;
        let session = wants_title(&rig, "s").await;
        rig.scripted.then([Step::text("ok"), Step::stop()]);
        rig.scripted.then(steps);
        rig.send(&session, "the first line").await.watch.end().await.unwrap();
        rig.scripted.called(2).await;
        rig.send(&session, "another").await.watch.end().await.unwrap();
        done(&rig).await;
        assert_eq!(title(&rig, &session).await, "the first line");
        assert_eq!(rig.scripted.calls().len(), 3, "it is not tried again");
    }
}

#[tokio::test]
async fn a_name_given_meanwhile_stands() {
    let rig = Rig::new(quick()).await;
    let session = wants_title(&rig, "s").await;
    let gate = Gate::default();
    rig.scripted.then([Step::text("ok"), Step::stop()]);
    rig.scripted.then([Step::Wait(gate.clone()), Step::text("A title"), Step::stop()]);
    rig.send(&session, "one").await.watch.end().await.unwrap();
    gate.reached(1).await;
    change(&rig, &session, SessionChange { title: Some(Some("Mine".into())), ..Default::default() }).await;
    gate.open();
    rig.scripted.ended(2).await;
    // The lane's next turn is stored behind whatever the title did.
    rig.send(&session, "two").await.watch.end().await.unwrap();
    done(&rig).await;
    assert_eq!(title(&rig, &session).await, "Mine");
}

#[tokio::test]
async fn a_title_gives_its_place_up_to_a_turn_that_waits_for_it() {
    let rig = Rig::new(quick()).await;
    rig.change_config(|config| config.max_concurrency = Some(1)).await;
    let session = wants_title(&rig, "s").await;
    rig.scripted.then([Step::text("ok"), Step::stop()]);
    rig.scripted.then([Step::text("A ti"), Step::Hang]);
    rig.send(&session, "one").await.watch.end().await.unwrap();
    rig.scripted.called(2).await;
    let ended = rig.send(&session, "two").await.watch.end().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    assert!(is_title(&rig.scripted, 1));
    assert_eq!(rig.scripted.calls()[1].state, State::Dropped);
    assert_eq!(title(&rig, &session).await, "one");
}

#[tokio::test]
async fn a_title_waits_for_no_place() {
    let rig = Rig::new(quick()).await;
    rig.change_config(|config| config.max_concurrency = Some(1)).await;
    let (session, other) = (wants_title(&rig, "s").await, rig.session("other", OnFailure::Continue).await);
    let (first, second) = (Gate::default(), Gate::default());
    rig.scripted.then([Step::Wait(first.clone()), Step::text("ok"), Step::stop()]);
    rig.scripted.then([Step::Wait(second.clone()), Step::text("ok"), Step::stop()]);
    let one = rig.send(&session, "one").await;
    first.reached(1).await;
    let two = rig.send(&other, "two").await;
    first.open();
    one.watch.end().await.unwrap();
    second.reached(1).await;
    skipped(&rig).await;
    second.open();
    two.watch.end().await.unwrap();
    done(&rig).await;
    assert_eq!(rig.scripted.calls().len(), 2, "the place was another turn's");
    assert_eq!(title(&rig, &session).await, "one");
}

#[tokio::test]
async fn a_title_does_not_hold_a_shutdown_up() {
    let rig = Rig::new(quick()).await;
    let session = wants_title(&rig, "s").await;
    rig.scripted.then([Step::text("ok"), Step::stop()]);
    rig.scripted.then([Step::Hang]);
    rig.send(&session, "one").await.watch.end().await.unwrap();
    rig.scripted.called(2).await;
    let begun = tokio::time::Instant::now();
    rig.scheduler.shutdown(Duration::from_secs(60)).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(rig.scripted.calls()[1].state, State::Dropped);
}
