//! A crash, and the server that starts after it on the same directory.

use provider::scripted::{Gate, Step};
use session::{event::EventId, lane::OnFailure};
use tokio::runtime::Runtime;

use crate::rig::*;

#[test]
fn after_a_crash_what_was_stored_is_kept_and_the_lane_goes_on() {
    let runtime = Runtime::new().unwrap();
    let (rig, turn, seen) = runtime.block_on(async {
        let rig = Rig::new(strict()).await;
        let session = rig.session("s", OnFailure::Continue).await;
        let gate = Gate::default();
        rig.scripted.then(halves(&gate));
        let mut accepted = rig.send(&session, "one").await;
        rig.send(&session, "two").await;
        let seen = accepted.watch.next().await.unwrap().unwrap();
        (rig, accepted.turn, seen)
    });
    let dir = rig.crash(runtime);

    Runtime::new().unwrap().block_on(async {
        let rig = Rig::in_dir(dir, quick()).await;
        let recovered = rig.scheduler.recover().await.unwrap();
        assert_eq!((recovered.again, recovered.interrupted), (0, 1));
        rig.scripted.ended(1).await;
        let rest = all(rig.watch(&turn, seen.last().unwrap().id)).await;
        assert_eq!(shown(&rest), ["2.1 snapshot \"Hel\"", "2.2 done message 0", "2.3 incomplete/interrupted \"Hel\""]);
        let whole = all(rig.watch(&turn, EventId::START)).await;
        assert_eq!(shown(&whole)[..seen.len()], shown(&seen));
        let beyond = all(rig.watch(&turn, EventId::new(1, 4000))).await;
        assert_eq!(shown(&beyond), shown(&rest));
        let last = rig.scripted.calls()[0].clone();
        let sent: Vec<String> = last.messages().into_iter().map(|(_, text)| text).collect();
        assert_eq!(sent, ["one", "Hel", "two"]);
    });
}

#[test]
fn after_a_crash_a_turn_that_had_said_nothing_runs_again_under_a_new_epoch() {
    let runtime = Runtime::new().unwrap();
    let (rig, turn) = runtime.block_on(async {
        let rig = Rig::new(quick()).await;
        let session = rig.session("s", OnFailure::Continue).await;
        rig.scripted.then([Step::Hang]);
        let accepted = rig.send(&session, "one").await;
        rig.scripted.called(1).await;
        (rig, accepted.turn)
    });
    let dir = rig.crash(runtime);

    Runtime::new().unwrap().block_on(async {
        let rig = Rig::in_dir(dir, quick()).await;
        assert_eq!(rig.scheduler.recover().await.unwrap().again, 1);
        let ended = rig.watch(&turn, EventId::START).end().await.unwrap();
        assert_eq!(ended.answer.as_ref().unwrap().message.content.text(), "ok");
        let events = shown(&all(rig.watch(&turn, EventId::START)).await);
        assert_eq!(events[..2], ["2.1 snapshot \"\"", "2.2 started m 2"]);
        assert_eq!(rig.path(&id("s")).await, ["u:one", "a:ok"]);
    });
}

#[test]
fn a_turn_that_brings_the_server_down_every_time_is_given_up() {
    let mut dir = None;
    for round in 0..4 {
        let runtime = Runtime::new().unwrap();
        let rig = runtime.block_on(async {
            let rig = match dir.take() {
                None => Rig::new(quick()).await,
                Some(dir) => Rig::in_dir(dir, quick()).await,
            };
            rig.scripted.otherwise(|_| vec![Step::Hang]);
            if round == 0 {
                let session = rig.session("s", OnFailure::Continue).await;
                rig.send(&session, "one").await;
            }
            rig.scheduler.recover().await.unwrap();
            if round < 3 {
                rig.scripted.called(1).await;
            }
            rig
        });
        if round == 3 {
            assert_eq!(runtime.block_on(rig.turns(&id("s"))), ["1 incomplete/interrupted"]);
            return;
        }
        dir = Some(rig.crash(runtime));
    }
}
