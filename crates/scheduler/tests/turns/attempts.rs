//! Retries, deadlines and bounds.

use provider::scripted::Step;
use session::{
    event::Delta,
    lane::OnFailure,
    turn::{FailureCode, Finish, Reason, Status},
};

use crate::rig::*;

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_the_stream_says_so() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then([Step::fail(FailureCode::UpstreamUnreachable)]);
    rig.scripted.then([Step::fail(FailureCode::UpstreamRateLimited)]);
    let events = shown(&all(rig.send(&session, "hi").await.watch).await);
    assert_eq!(events[..3], ["1.1 started m 1", "1.2 started m 2", "1.3 started m 3"]);
    assert_eq!(events.last().unwrap(), "1.6 completed \"ok\"");
}

#[tokio::test]
async fn attempts_are_bounded() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.otherwise(|_| vec![Step::fail(FailureCode::UpstreamError)]);
    let turn = rig.send(&session, "hi").await.watch.end().await.unwrap();
    assert_eq!((turn.status, turn.attempts, rig.scripted.calls().len()), (Status::Failed, 3, 3));
}

#[tokio::test]
async fn a_lasting_failure_is_not_tried_again() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.otherwise(|_| vec![Step::fail(FailureCode::ContextTooLong)]);
    let turn = rig.send(&session, "hi").await.watch.end().await.unwrap();
    assert_eq!((turn.status, rig.scripted.calls().len()), (Status::Failed, 1));
}

#[tokio::test]
async fn a_turn_ends_at_its_own_deadline() {
    let rig = Rig::new(quick()).await;
    rig.change_config(|config| config.timeouts.turn_ms = 50).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then([Step::text("so far"), Step::Hang]);
    let turn = rig.send(&session, "hi").await.watch.end().await.unwrap();
    assert_eq!(turn.error.as_ref().unwrap().code, FailureCode::UpstreamTimeout);
    assert_eq!(turn.answer.as_ref().unwrap().message.content.text(), "so far");
    rig.scripted.ended(1).await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let mut settings = quick();
    settings.limits.answer_bytes_max = 100_000;
    let rig = Rig::new(settings).await;
    let session = rig.session("s", OnFailure::Continue).await;
    rig.scripted.then((0..1000).map(|_| Step::text(&"x".repeat(1000))));
    let turn = rig.send(&session, "hi").await.watch.end().await.unwrap();
    assert_eq!((turn.status, turn.reason), (Status::Incomplete, Some(Reason::Length)));
}

#[tokio::test]
async fn the_models_reason_to_stop_is_kept() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    for (finish, status) in [(Finish::Length, Status::Incomplete), (Finish::ContentFilter, Status::Incomplete)] {
        rig.scripted.then([Step::text("x"), Step::Delta(Delta::Finish(finish))]);
        let turn = rig.send(&session, "hi").await.watch.end().await.unwrap();
        assert_eq!((turn.status, turn.finish), (status, Some(finish)));
    }
}

#[tokio::test]
async fn a_deleted_config_fails_the_turn_that_waited_for_it() {
    let rig = Rig::new(quick()).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let gate = provider::scripted::Gate::default();
    rig.scripted.then(halves(&gate));
    let first = rig.send(&session, "one").await;
    let second = rig.send(&session, "two").await;
    rig.scheduler.store().delete_config(project(), "c".parse().unwrap(), CLOCK.now()).await.unwrap();
    gate.open();
    assert_eq!(first.watch.end().await.unwrap().status, Status::Completed);
    let turn = second.watch.end().await.unwrap();
    assert_eq!(turn.error.as_ref().unwrap().code, FailureCode::ConfigNotFound);
}
