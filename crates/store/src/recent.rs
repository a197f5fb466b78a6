//! The paths that have grown lately, so that a turn that continues one need not read its past.
//!
//! A turn that has ended never changes, nor does the path behind it, unless something that was said is deleted, and then
//! every path through its turn is forgotten: what is remembered under an id can be missing, never wrong. A transaction that is taken back may leave a turn here that no row knows, and nobody will continue.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use session::{
    id::{ProjectId, TurnId},
    message::{Content, Message, Part},
    turn::Outcome,
    window::{Counters, Cut},
};

use crate::{
    error::Result,
    messages,
    turns::{Fence, InputMessage},
    walk::{Sent, Tree},
};

/// Remembered at most, about. The older half is forgotten at once.
const BYTES_MAX: usize = 16 << 20;
/// A shorter stretch is read as fast, and most sessions are short.
const TURNS_MIN: usize = 4;

#[derive(Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<Generations>>);

type Key = (ProjectId, TurnId);

#[derive(Default)]
struct Generations {
    /// With their bytes.
    young: HashMap<Key, (Stretch, usize)>,
    old: HashMap<Key, (Stretch, usize)>,
    young_bytes: usize,
}

/// The newest turns of a path that count, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Stretch(VecDeque<Told>);

/// A turn and what was said in it.
#[derive(Debug)]
pub(crate) struct Told {
    id: TurnId,
    /// The path's counters before it, and through `messages`.
    before: Counters,
    through: Counters,
    messages: Vec<Arc<Message>>,
    /// Comes at its end, with its tokens.
    answer: Option<(Arc<Message>, u32)>,
}

impl Recent {
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a turn sends that continues `base`, when all of that is remembered.
    pub(crate) fn take(&self, project: &ProjectId, base: &TurnId, cut: Cut) -> Option<Stretch> {
        let mut stretch = self.generations().remove(&(project.clone(), base.clone()))?;
        if !cut.ends_at(stretch.0.front()?.before) {
            return None;
        }
        while stretch.0.pop_front_if(|told| !cut.keeps(told.before, told.through())).is_some() {}
        Some(stretch)
    }

    /// Something that was said in a turn is deleted.
    pub(crate) fn forget(&self, project: &ProjectId, turn: &TurnId) {
        self.generations().forget(project, turn);
    }

    /// A turn has started, which sends `past`.
    pub(crate) fn begin(&self, project: &ProjectId, mut past: Stretch, turn: Told) {
        if past.0.len() >= TURNS_MIN {
            let key = (project.clone(), turn.id.clone());
            past.0.push_back(turn);
            self.generations().insert(key, past);
        }
    }

    /// The turn has ended. One that does not count leaves its path as it was.
    pub(crate) fn end(&self, fence: &Fence, outcome: &Outcome, answer_tokens: u32) {
        let mut generations = self.generations();
        let Some(mut stretch) = generations.remove(&(fence.project.clone(), fence.turn.clone())) else { return };
        if !outcome.counts() {
            stretch.0.pop_back();
        } else if let Some(turn) = stretch.0.back_mut() {
            turn.answer = outcome.answer.clone().map(|answer| (Arc::new(answer), answer_tokens));
        }
        if let Some(last) = stretch.0.back() {
            generations.insert((fence.project.clone(), last.id.clone()), stretch);
        }
    }
}

impl Generations {
    fn forget(&mut self, project: &ProjectId, turn: &TurnId) {
        let stays = |key: &Key, stretch: &Stretch| key.0 != *project || stretch.0.iter().all(|told| told.id != *turn);
        self.young.retain(|key, (stretch, _)| stays(key, stretch));
        self.old.retain(|key, (stretch, _)| stays(key, stretch));
        self.young_bytes = self.young.values().map(|(_, bytes)| bytes).sum();
    }

    fn insert(&mut self, key: Key, stretch: Stretch) {
        // Two turns that continued one turn and came to nothing both leave its path here.
        self.remove(&key);
        let bytes = stretch.bytes();
        if bytes > BYTES_MAX / 16 {
            return;
        }
        self.young_bytes += bytes;
        self.young.insert(key, (stretch, bytes));
        if self.young_bytes > BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Stretch> {
        if let Some((stretch, bytes)) = self.young.remove(key) {
            self.young_bytes -= bytes;
            return Some(stretch);
        }
        self.old.remove(key).map(|(stretch, _)| stretch)
    }
}

impl Stretch {
    /// Reads what was said in these turns.
    pub(crate) fn new(tree: Tree<'_>, window: Vec<Sent>) -> Result<Stretch> {
        let numbers: Vec<u64> = window.iter().map(|sent| sent.number).collect();
        let said = messages::said_in(tree.conn, tree.project, tree.session, &numbers)?;
        let mut said = said.into_iter().peekable();
        let told = |Sent { id, number, before, through }| {
            let messages =
                std::iter::from_fn(|| said.next_if(|(of, _)| *of == number)).map(|(_, message)| Arc::new(message));
            Told { id, before, through, messages: messages.collect(), answer: None }
        };
        Ok(Stretch(window.into_iter().map(told).collect()))
    }

    pub(crate) fn from(&self) -> Option<&TurnId> {
        self.0.front().map(|told| &told.id)
    }

    pub(crate) fn messages(&self) -> Vec<Arc<Message>> {
        self.0.iter().flat_map(Told::said).cloned().collect()
    }

    fn bytes(&self) -> usize {
        let part = |part: &Part| match part {
            Part::Text { text } => text.len(),
            Part::ImageUrl { image_url } => image_url.url.len(),
        };
        let bytes = |message: &Arc<Message>| {
            let calls: usize = message.tool_calls.iter().map(|call| call.arguments.len()).sum();
            let reasoning = message.reasoning.as_ref().map_or(0, String::len);
            let content = match &message.content {
                Content::Text(text) => text.len(),
                Content::Parts(parts) => parts.iter().map(part).sum(),
            };
            size_of::<Message>() + content + reasoning + calls
        };
        self.0.iter().map(|told| size_of::<Told>() + told.said().map(bytes).sum::<usize>()).sum()
    }
}

impl Told {
    /// A turn that has started: the path's counters before it and through its input.
    pub(crate) fn asked(id: &TurnId, before: Counters, through: Counters, input: &[InputMessage]) -> Told {
        let messages = input.iter().map(|input| Arc::new(input.message.clone())).collect();
        Told { id: id.clone(), before, through, messages, answer: None }
    }

    fn said(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.iter().chain(self.answer.as_ref().map(|(answer, _)| answer))
    }

    fn through(&self) -> Counters {
        let answer = self.answer.as_ref().map(|(_, tokens)| Counters { messages: 1, tokens: (*tokens).into() });
        self.through + answer.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use session::{
        id::Owner,
        turn::{Failure, FailureCode, Status, Usage},
    };

    use super::*;

    fn project() -> ProjectId {
        "p".parse().unwrap()
    }

    fn told(name: &str, at: u64) -> Told {
        let counters = |messages| Counters { messages, tokens: 0 };
        let (before, through) = (counters(at), counters(at + 1));
        Told { id: name.parse().unwrap(), before, through, messages: vec![Arc::new(Message::user(name))], answer: None }
    }

    fn path(turns: u64) -> Stretch {
        Stretch((1..=turns).map(|turn| told(&format!("t{turn}"), turn - 1)).collect())
    }

    fn fail(recent: &Recent, turn: &str) {
        let owner: Owner = "me".parse().unwrap();
        let fence = Fence { project: project(), turn: turn.parse().unwrap(), epoch: 1, owner };
        let error = Failure::new(FailureCode::UpstreamError, "it broke");
        let outcome = Outcome {
            status: Status::Failed,
            reason: None,
            finish: None,
            answer: None,
            model: None,
            usage: Usage::default(),
            error: Some(error),
        };
        recent.end(&fence, &outcome, 0);
    }

    #[test]
    fn a_path_that_two_turns_continued_in_vain_is_remembered_once() {
        let recent = Recent::default();
        for turn in ["a", "b"] {
            recent.begin(&project(), path(4), told(turn, 4));
        }
        ["a", "b"].iter().for_each(|turn| fail(&recent, turn));
        let generations = recent.generations();
        let held: Vec<(&str, usize)> =
            generations.young.iter().map(|((_, turn), (stretch, _))| (turn.as_str(), stretch.0.len())).collect();
        assert_eq!(held, [("t4", 4)]);
        assert_eq!(generations.young_bytes, path(4).bytes(), "and counted once");
    }
}
