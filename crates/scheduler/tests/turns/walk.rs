//! A seeded random walk: whatever clients do, the store ends where a small model of the lane says it must.

use provider::scripted::{Gate, Step};
use scheduler::AskInput;
use session::{
    id::TurnId,
    lane::{IfBusy, OnFailure},
    turn::{FailureCode, Status},
};
use store::Error;

use crate::rig::*;

/// xorshift: the same seed, the same walk.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A lane as a reader of DESIGN §1 would write it down.
#[derive(Default)]
struct Model {
    running: Option<TurnId>,
    queue: Vec<TurnId>,
    /// Ended ones in the order of their start, with what they are expected to be.
    done: Vec<(TurnId, Status)>,
    cancelled_waiting: Vec<TurnId>,
}

impl Model {
    fn sent(&mut self, turn: TurnId) {
        match self.running {
            None => self.running = Some(turn),
            Some(_) => self.queue.push(turn),
        }
    }

    fn ended(&mut self, status: Status) {
        let Some(turn) = self.running.take() else { return };
        self.done.push((turn, status));
        if !self.queue.is_empty() {
            self.running = Some(self.queue.remove(0));
        }
    }
}

#[tokio::test]
async fn a_random_walk_ends_where_the_model_of_a_lane_does() {
    let walks = if std::env::var("TURNWISE_TEST_LONG").is_ok() { 200 } else { 12 };
    for seed in 1..=walks {
        walk(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed), 40).await;
    }
}

async fn walk(seed: u64, steps: usize) {
    let rig = Rig::new(scheduler::Settings { queue_max: 5, ..quick() }).await;
    let session = rig.session("s", OnFailure::Continue).await;
    let mut dice = Dice(seed);
    let mut model = Model::default();
    // Every turn waits at a gate of its own, which the walk opens to end it.
    let gates = std::sync::Arc::new(std::sync::Mutex::new(Vec::<(String, Gate, bool)>::new()));
    let script = gates.clone();
    rig.scripted.otherwise(move |call| {
        let said = call.messages().last().unwrap().1.clone();
        let (gate, fails) =
            script.lock().unwrap().iter().find(|gate| gate.0 == said).map(|gate| (gate.1.clone(), gate.2)).unwrap();
        let end = if fails { Step::fail(FailureCode::ContentFilter) } else { Step::stop() };
        vec![Step::text("a"), Step::Wait(gate), end]
    });
    let mut texts = std::collections::HashMap::new();
    for step in 0..steps {
        match dice.roll(6) {
            0..=2 => {
                let text = format!("u{step}");
                gates.lock().unwrap().push((text.clone(), Gate::default(), dice.roll(4) == 0));
                match rig.try_send(&session, &text, IfBusy::Queue).await {
                    Ok(accepted) => {
                        texts.insert(accepted.turn.clone(), text);
                        model.sent(accepted.turn);
                    }
                    Err(Error::QueueFull { .. }) => assert_eq!(model.queue.len(), 5, "seed {seed}"),
                    Err(other) => panic!("seed {seed}: {other}"),
                }
            }
            3 => {
                let Some(turn) = model.running.clone() else { continue };
                let (gate, fails) = {
                    let gates = gates.lock().unwrap();
                    let gate = gates.iter().find(|gate| gate.0 == texts[&turn]).unwrap();
                    (gate.1.clone(), gate.2)
                };
                gate.open();
                rig.watch(&turn, Default::default()).end().await.unwrap();
                model.ended(if fails { Status::Failed } else { Status::Completed });
            }
            4 => {
                let Some(turn) = model.running.clone() else { continue };
                rig.scheduler.cancel(project(), turn).await.unwrap();
                model.ended(Status::Cancelled);
            }
            _ => {
                if model.queue.is_empty() {
                    continue;
                }
                let turn = model.queue.remove(dice.roll(model.queue.len() as u64) as usize);
                rig.scheduler.cancel(project(), turn.clone()).await.unwrap();
                model.cancelled_waiting.push(turn);
            }
        }
    }
    for (at, (turn, status)) in model.done.iter().enumerate() {
        let stored = rig.turn(turn).await;
        assert_eq!((stored.status, stored.number), (*status, Some(at as u64 + 1)), "seed {seed}, turn {at}");
    }
    for turn in &model.cancelled_waiting {
        let stored = rig.turn(turn).await;
        assert_eq!((stored.status, stored.number), (Status::Cancelled, None), "seed {seed}");
    }
    if let Some(turn) = &model.running {
        assert_eq!(rig.turn(turn).await.status, Status::Running, "seed {seed}");
    }
    let queue = rig.scheduler.store().queue(project(), session.clone()).await.unwrap();
    assert_eq!(queue.iter().map(|turn| turn.id.clone()).collect::<Vec<_>>(), model.queue, "seed {seed}");
    let retried = model.done.first().map(|(turn, _)| AskInput::Retry(turn.clone()));
    if let (Some(retry), None) = (retried, &model.running) {
        let again = rig.scheduler.admit(ask(&session, retry)).await.unwrap();
        assert_eq!(again.position, None, "seed {seed}: a retry goes first");
    }
}
