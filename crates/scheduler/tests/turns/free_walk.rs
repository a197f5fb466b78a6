//! A seeded random walk through a chain: free turns start and wait as a small model of their tree says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use provider::scripted::{Gate, Step};
use session::{
    id::TurnId,
    turn::{FailureCode, Status},
};

use crate::{
    free::{chain, send_free},
    rig::*,
    walk::Dice,
};

/// A turn of the chain: what it continues, what it says, and how it stands.
struct Known {
    turn: TurnId,
    parent: Option<usize>,
    text: String,
    status: Status,
}

/// A chain as a reader of its description would write it down.
#[derive(Default)]
struct Model(Vec<Known>);

impl Model {
    fn sent(&mut self, turn: TurnId, parent: usize, text: String) {
        let status = match self.0[parent].status {
            Status::Running => Status::Queued,
            _ => Status::Running,
        };
        self.0.push(Known { turn, parent: Some(parent), text, status });
    }

    fn ended(&mut self, at: usize, status: Status) {
        self.0[at].status = status;
        let children = self.0.iter_mut().filter(|known| known.parent == Some(at) && known.status == Status::Queued);
        children.for_each(|child| child.status = Status::Running);
    }

    /// The texts that are sent with a turn: its own, and those of the path before it that came to an answer.
    fn sent_with(&self, at: usize) -> Vec<String> {
        let mut path = vec![self.0[at].text.clone()];
        let mut next = self.0[at].parent;
        while let Some(at) = next {
            if self.0[at].status != Status::Failed {
                path.push(format!("a-{}", self.0[at].text));
                path.push(self.0[at].text.clone());
            }
            next = self.0[at].parent;
        }
        path.reverse();
        path
    }

    fn those(&self, wanted: impl Fn(Status) -> bool) -> Vec<usize> {
        (0..self.0.len()).filter(|&at| wanted(self.0[at].status)).collect()
    }
}

#[tokio::test]
async fn a_random_walk_through_a_chain_ends_where_the_model_does() {
    let walks = if std::env::var("TURNWISE_TEST_LONG").is_ok() { 200 } else { 12 };
    for seed in 1..=walks {
        walk(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed), 40).await;
    }
}

async fn walk(seed: u64, steps: usize) {
    let rig = Rig::new(scheduler::Settings { queue_max: 1000, ..quick() }).await;
    let mut dice = Dice(seed);
    // Every turn says its answer, or nothing, then waits at a gate of its own, which the walk opens to end it.
    let gates = Arc::new(Mutex::new(HashMap::<String, (Gate, bool)>::new()));
    let script = gates.clone();
    rig.scripted.otherwise(move |call| {
        let said = call.messages().last().unwrap().1.clone();
        let Some((gate, fails)) = script.lock().unwrap().get(&said).cloned() else {
            return vec![Step::text("a-root"), Step::stop()];
        };
        match fails {
            true => vec![Step::Wait(gate), Step::fail(FailureCode::ContentFilter)],
            false => vec![Step::text(&format!("a-{said}")), Step::Wait(gate), Step::stop()],
        }
    });
    let (session, root) = chain(&rig).await;
    let mut model = Model(vec![Known { turn: root, parent: None, text: "root".into(), status: Status::Completed }]);
    for step in 0..steps {
        let pick = |dice: &mut Dice, those: Vec<usize>| match those.len() {
            0 => None,
            many => Some(those[dice.roll(many as u64) as usize]),
        };
        match dice.roll(6) {
            0..=2 => {
                let started = |status| !matches!(status, Status::Queued | Status::Cancelled);
                let Some(parent) = pick(&mut dice, model.those(started)) else { continue };
                let text = format!("u{step}");
                gates.lock().unwrap().insert(text.clone(), (Gate::default(), dice.roll(4) == 0));
                let accepted = send_free(&rig, &session, &model.0[parent].turn.clone(), &text).await;
                let waits = model.0[parent].status == Status::Running;
                assert_eq!(accepted.position, waits.then_some(0), "seed {seed}");
                model.sent(accepted.turn, parent, text);
            }
            3..=4 => {
                let Some(at) = pick(&mut dice, model.those(|status| status == Status::Running)) else { continue };
                let (gate, fails) = gates.lock().unwrap()[&model.0[at].text].clone();
                gate.open();
                let ended = rig.watch(&model.0[at].turn, Default::default()).end().await.unwrap();
                let expected = if fails { Status::Failed } else { Status::Completed };
                assert_eq!(ended.status, expected, "seed {seed}");
                model.ended(at, expected);
            }
            _ => {
                let Some(at) = pick(&mut dice, model.those(|status| status == Status::Queued)) else { continue };
                rig.scheduler.cancel(project(), model.0[at].turn.clone()).await.unwrap();
                model.0[at].status = Status::Cancelled;
            }
        }
        for known in &model.0 {
            assert_eq!(rig.turn(&known.turn).await.status, known.status, "seed {seed}, step {step}, {}", known.text);
        }
    }
    let running = model.those(|status| !matches!(status, Status::Queued | Status::Cancelled));
    rig.scripted.called(running.len()).await;
    let calls = rig.scripted.calls();
    assert_eq!(calls.len(), running.len(), "seed {seed}");
    for at in running {
        let expected = model.sent_with(at);
        let texts = |messages: Vec<(String, String)>| messages.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        let sent = calls.iter().map(|call| texts(call.messages())).find(|sent| sent.last() == expected.last());
        // A long path is cut to the window.
        assert!(sent.is_some_and(|sent| expected.ends_with(&sent)), "seed {seed}, {}", model.0[at].text);
    }
}
