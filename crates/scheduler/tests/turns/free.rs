//! Free turns: they run beside the lane, wait for their parent alone, and nobody's end is another's.

use std::time::Duration;

use provider::scripted::{Gate, Step};
use scheduler::{Accepted, Ask, AskInput};
use session::{
    id::{SessionId, TurnId},
    turn::{Reason, Status},
};
use store::{Parent, Takeover};
use tokio::runtime::Runtime;

use crate::rig::*;

/// Begins a chain, waits for the answer and gives the chain and its first turn.
pub async fn chain(rig: &Rig) -> (SessionId, TurnId) {
    let new = Ask { session: None, free: true, ..ask(&id("unused"), AskInput::Message("root".into())) };
    let first = rig.scheduler.admit(new).await.unwrap();
    let (session, turn) = (first.session, first.turn);
    first.watch.end().await.unwrap();
    (session, turn)
}

fn after(session: &SessionId, parent: &TurnId, text: &str) -> Ask {
    Ask { parent: Parent::Turn(parent.clone()), ..ask(session, AskInput::Message(text.into())) }
}

pub async fn send_free(rig: &Rig, session: &SessionId, parent: &TurnId, text: &str) -> Accepted {
    rig.scheduler.admit(Ask { free: true, ..after(session, parent, text) }).await.unwrap()
}

/// What was said in the call that asked for this.
fn sent(rig: &Rig, text: &str) -> Vec<String> {
    let messages = rig.scripted.calls().into_iter().map(|call| call.messages());
    let mut of = messages.filter(|messages| messages.last().is_some_and(|last| last.1 == text));
    of.next().unwrap_or_else(|| panic!("nobody was asked {text}")).into_iter().map(|(_, text)| text).collect()
}

/// Every turn but `root` says half of its answer, waits at the gate, and says the rest.
fn in_halves(rig: &Rig, gate: &Gate) {
    let gate = gate.clone();
    rig.scripted.otherwise(move |call| match call.messages().last().unwrap().1.as_str() {
        "root" => vec![Step::text("ok"), Step::stop()],
        _ => halves(&gate).into(),
    });
}

#[tokio::test]
async fn children_of_one_turn_are_called_together_and_a_grandchild_waits_for_its_parent() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    in_halves(&rig, &gate);
    let (session, root) = chain(&rig).await;
    let one = send_free(&rig, &session, &root, "one").await;
    let two = send_free(&rig, &session, &root, "two").await;
    assert_eq!((one.position, two.position), (None, None));
    gate.reached(2).await;
    let waiting = send_free(&rig, &session, &one.turn, "three").await;
    assert_eq!(waiting.position, Some(0));
    assert_eq!(rig.scripted.calls().len(), 3, "nobody asks before there is an answer to go on from");
    gate.open();
    let events = shown(&all(waiting.watch).await);
    assert_eq!(events[..2], ["0.1 queued 0", "1.1 started m 1"]);
    assert_eq!(shown(&all(rig.watch(&waiting.turn, Default::default())).await), events);
    for accepted in [one, two] {
        assert_eq!(accepted.watch.end().await.unwrap().status, Status::Completed);
    }
    assert_eq!(sent(&rig, "two"), ["root", "ok", "two"]);
    assert_eq!(sent(&rig, "three"), ["root", "ok", "one", "Hello", "three"]);
}

#[tokio::test]
async fn the_lane_goes_its_way_beside_free_turns() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    in_halves(&rig, &gate);
    let (session, root) = chain(&rig).await;
    let free = send_free(&rig, &session, &root, "free").await;
    let first = rig.send(&session, "first").await;
    let second = rig.send(&session, "second").await;
    assert_eq!((first.position, second.position), (None, Some(0)));
    gate.reached(2).await;
    rig.scheduler.cancel(project(), free.turn).await.unwrap();
    assert_eq!(rig.turn(&second.turn).await.status, Status::Queued, "the end of a free turn is none of the lane's");
    gate.open();
    first.watch.end().await.unwrap();
    second.watch.end().await.unwrap();
    assert_eq!(sent(&rig, "second"), ["root", "ok", "first", "Hello", "second"], "the head is where a turn ended last");
}

#[tokio::test]
async fn a_turn_of_the_lane_that_continues_a_free_one_waits_for_it_and_nobody_waits_for_it_once_it_is_withdrawn() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    in_halves(&rig, &gate);
    let (session, root) = chain(&rig).await;
    let free = send_free(&rig, &session, &root, "free").await;
    gate.reached(1).await;
    let waits = rig.scheduler.admit(after(&session, &free.turn, "waits")).await.unwrap();
    let withdrawn = rig.scheduler.admit(after(&session, &free.turn, "withdrawn")).await.unwrap();
    let behind = rig.send(&session, "behind").await;
    assert_eq!([&waits, &withdrawn, &behind].map(|accepted| accepted.position), [Some(0), Some(1), Some(2)]);
    // To the back, so that another is the first, which has to wait as well; and then nothing is in the way.
    rig.scheduler.edit(project(), waits.turn.clone(), None, Some(2)).await.unwrap();
    rig.scheduler.cancel(project(), withdrawn.turn).await.unwrap();
    gate.reached(2).await;
    assert_eq!(rig.turn(&behind.turn).await.status, Status::Running);
    gate.open();
    for accepted in [free, behind, waits] {
        assert_eq!(accepted.watch.end().await.unwrap().status, Status::Completed);
    }
    assert_eq!(sent(&rig, "waits"), ["root", "ok", "free", "Hello", "waits"]);
}

#[tokio::test]
async fn deleting_a_session_ends_every_turn_of_it() {
    let rig = Rig::new(quick()).await;
    let gate = Gate::default();
    in_halves(&rig, &gate);
    let (session, root) = chain(&rig).await;
    let one = send_free(&rig, &session, &root, "one").await;
    let two = send_free(&rig, &session, &root, "two").await;
    let lane = rig.send(&session, "lane").await;
    gate.reached(3).await;
    let waiting = send_free(&rig, &session, &one.turn, "three").await;
    rig.scheduler.delete_session(project(), session).await.unwrap();
    for accepted in [one, two, lane, waiting] {
        let end = shown(&all(accepted.watch).await).pop().unwrap();
        assert!(end.contains("cancelled"), "{end}");
    }
    assert_eq!(rig.scripted.calls().len(), 4, "and nobody else is asked");
}

#[tokio::test]
async fn a_turn_that_is_left_to_another_owner_takes_along_what_waits_for_it_and_nothing_else() {
    let rig = Rig::new(quick()).await;
    let (gate, lost) = (Gate::default(), Gate::default());
    let gates = (gate.clone(), lost.clone());
    rig.scripted.otherwise(move |call| match call.messages().last().unwrap().1.as_str() {
        "root" => vec![Step::text("ok"), Step::stop()],
        "lost" => vec![Step::Wait(gates.1.clone()), Step::text("too late"), Step::stop()],
        _ => halves(&gates.0).into(),
    });
    let (session, root) = chain(&rig).await;
    let left = send_free(&rig, &session, &root, "lost").await;
    lost.reached(1).await;
    let waiting = send_free(&rig, &session, &left.turn, "waiting").await;
    let free = send_free(&rig, &session, &root, "free").await;
    let child = send_free(&rig, &session, &free.turn, "child").await;
    let lane = rig.send(&session, "lane").await;
    let queued = rig.send(&session, "queued").await;
    gate.reached(2).await;

    // Somebody else takes the turn over, of which nothing was stored yet.
    let (store, other) = (rig.scheduler.store(), "other".parse().unwrap());
    let taken = store.take_over(project(), left.turn.clone(), other, 9, "late".parse().unwrap(), |_| 1, CLOCK.now());
    assert!(matches!(taken.await.unwrap(), Takeover::Again(_)));
    lost.open();
    // What waits for it is the other's affair, too: its watcher looks in the store.
    let mut watch = waiting.watch;
    assert_eq!(shown(&watch.next().await.unwrap().unwrap()), ["0.1 queued 0"]);
    rig.scripted.ended(2).await;
    store.cancel(project(), waiting.turn, CLOCK.now()).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(30), watch.end()).await.expect("its watcher was told");
    assert_eq!(end.unwrap().status, Status::Cancelled);

    // The others are still live here, and what runs can be stopped.
    let live = async |turn: &TurnId| rig.scheduler.active(&project(), turn).await.unwrap().is_some();
    assert!(!live(&left.turn).await);
    for turn in [&free.turn, &child.turn, &lane.turn, &queued.turn] {
        assert!(live(turn).await);
    }
    for running in [&free, &lane] {
        let ended = rig.scheduler.cancel(project(), running.turn.clone()).await.unwrap();
        assert_eq!(ended.status, Status::Cancelled);
    }
    gate.open();
    for started in [child, queued] {
        let events = shown(&all(started.watch).await);
        assert_eq!(events[..2], ["0.1 queued 0", "1.1 started m 1"]);
        assert!(events.last().unwrap().ends_with("completed \"Hello\""), "{events:?}");
    }
}

#[test]
fn after_a_crash_all_turns_of_a_chain_come_to_an_honest_end() {
    let runtime = Runtime::new().unwrap();
    let (rig, turns) = runtime.block_on(async {
        let rig = Rig::new(strict()).await;
        let gate = Gate::default();
        let held = gate.clone();
        rig.scripted.otherwise(move |call| match call.messages().last().unwrap().1.as_str() {
            "root" => vec![Step::text("ok"), Step::stop()],
            "silent" => vec![Step::Hang],
            _ => halves(&held).into(),
        });
        let (session, root) = chain(&rig).await;
        let mut talking = send_free(&rig, &session, &root, "talking").await;
        let silent = send_free(&rig, &session, &root, "silent").await;
        let of_talking = send_free(&rig, &session, &talking.turn, "of talking").await;
        let of_silent = send_free(&rig, &session, &silent.turn, "of silent").await;
        // What is shown is stored.
        while !shown(&talking.watch.next().await.unwrap().unwrap()).iter().any(|event| event.contains("Hel")) {}
        rig.scripted.called(3).await;
        (rig, [talking.turn, silent.turn, of_talking.turn, of_silent.turn])
    });
    let dir = rig.crash(runtime);

    Runtime::new().unwrap().block_on(async {
        let rig = Rig::in_dir(dir, quick()).await;
        let recovered = rig.scheduler.recover().await.unwrap();
        assert_eq!((recovered.again, recovered.interrupted, recovered.free, recovered.lanes), (1, 1, 1, 0));
        let mut ends = Vec::new();
        for turn in &turns {
            let end = rig.watch(turn, Default::default()).end().await.unwrap();
            ends.push((end.status, end.reason));
        }
        let completed = (Status::Completed, None);
        assert_eq!(ends, [(Status::Incomplete, Some(Reason::Interrupted)), completed, completed, completed]);
        assert_eq!(sent(&rig, "of talking"), ["root", "ok", "talking", "Hel", "of talking"]);
        assert_eq!(sent(&rig, "of silent"), ["root", "ok", "silent", "ok", "of silent"]);
    });
}

#[test]
fn after_a_graceful_stop_what_waited_starts_with_the_next_server() {
    let runtime = Runtime::new().unwrap();
    let (rig, parent, waiting) = runtime.block_on(async {
        let rig = Rig::new(quick()).await;
        let gate = Gate::default();
        in_halves(&rig, &gate);
        let (session, root) = chain(&rig).await;
        let parent = send_free(&rig, &session, &root, "parent").await;
        let waiting = send_free(&rig, &session, &parent.turn, "waiting").await;
        gate.reached(1).await;
        // Polled first: it is told to stop before the parent can end.
        let ((), ended) = tokio::join!(biased; rig.scheduler.shutdown(Duration::from_secs(60)), async {
            gate.open();
            parent.watch.end().await.unwrap()
        });
        assert_eq!(ended.status, Status::Completed);
        assert_eq!(rig.turn(&waiting.turn).await.status, Status::Queued, "a server that leaves starts nothing");
        (rig, parent.turn, waiting.turn)
    });
    let dir = rig.crash(runtime);

    Runtime::new().unwrap().block_on(async {
        let rig = Rig::in_dir(dir, quick()).await;
        assert_eq!(rig.scheduler.recover().await.unwrap().free, 1);
        let ended = rig.watch(&waiting, Default::default()).end().await.unwrap();
        assert_eq!((ended.status, &ended.parent), (Status::Completed, &Some(parent)));
        assert_eq!(sent(&rig, "waiting"), ["root", "ok", "parent", "Hello", "waiting"]);
    });
}

#[tokio::test]
async fn a_panic_in_a_free_turn_starts_its_children() {
    let rig = Rig::new(quick()).await;
    rig.scripted.otherwise(|call| match call.messages().last().unwrap().1.as_str() {
        "boom" => panic!("a defect"),
        _ => vec![Step::text("ok"), Step::stop()],
    });
    let (session, root) = chain(&rig).await;
    // The config's only place is taken: the turn that will panic stands still before its call, and can be continued.
    rig.change_config(|config| config.max_concurrency = Some(1)).await;
    let gate = Gate::default();
    rig.scripted.then(halves(&gate));
    let first = send_free(&rig, &session, &root, "first").await;
    gate.reached(1).await;
    let boom = send_free(&rig, &session, &root, "boom").await;
    let child = send_free(&rig, &session, &boom.turn, "child").await;
    assert_eq!(child.position, Some(0));
    gate.open();
    assert_eq!(first.watch.end().await.unwrap().status, Status::Completed);
    assert_eq!(boom.watch.end().await.unwrap().status, Status::Failed);
    assert_eq!(child.watch.end().await.unwrap().status, Status::Completed);
}
