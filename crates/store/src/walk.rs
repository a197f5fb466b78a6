//! Walks through a session's tree of turns. None costs more in a long session than in a short one.
//!
//! Three links lead from a turn towards the root. `parent` is the turn before. `base` skips turns that no history
//! contains, however many failed in a row. `jump` leads further up the path, by the rule of skew-binary numbers (Myers,
//! *An applicative random-access stack*, 1983), so that any place of a path of n turns is found in about 2 log n steps.

use rusqlite::{Connection, Row, params};
use session::{
    id::{ProjectId, SessionId, TurnId},
    window::{Counters, Cut},
};

use crate::{
    error::{Error, Result},
    rows::{Columns, optional},
};

/// A started turn as a walk sees it. Numbers grow along every path.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub id: TurnId,
    pub number: u64,
    pub parent: Option<TurnId>,
    pub base: Option<TurnId>,
    pub counts: bool,
    pub through: Counters,
    pub links: Links,
}

/// A turn's place on its path, from 1, and its link to a turn further up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    pub depth: u64,
    pub jump: Option<TurnId>,
    /// 0 when there is none.
    pub jump_depth: u64,
}

impl Step {
    /// The nearest turn that counts, from this one on towards the root.
    pub(crate) fn base_of_child(&self) -> Option<TurnId> {
        if self.counts { Some(self.id.clone()) } else { self.base.clone() }
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Step> {
        let mut columns = Columns::of(row);
        Ok(Step {
            id: columns.word()?,
            number: columns.get()?,
            parent: columns.optional_word()?,
            base: columns.optional_word()?,
            counts: columns.get()?,
            through: Counters { messages: columns.get()?, tokens: columns.get()? },
            links: Links { depth: columns.get()?, jump: columns.optional_word()?, jump_depth: columns.get()? },
        })
    }
}

/// A turn of a path that is sent with another one.
#[derive(Debug)]
pub(crate) struct Sent {
    pub id: TurnId,
    pub number: u64,
    pub before: Counters,
    pub through: Counters,
}

/// The tree to walk in.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub conn: &'a Connection,
    pub project: &'a ProjectId,
    pub session: &'a SessionId,
}

impl Tree<'_> {
    /// A started turn of this session; `None` when there is none of that id, or it has not started.
    pub(crate) fn find(&self, turn: &TurnId) -> Result<Option<Step>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, number, parent, base, counts, through_messages, through_tokens, depth, jump, jump_depth
             FROM chat_turns WHERE project_id = ? AND id = ? AND session_id = ? AND number IS NOT NULL",
        )?;
        let key = params![self.project.as_str(), turn.as_str(), self.session.as_str()];
        optional(statement.query_row(key, Step::from_row))
    }

    /// A turn that another one leads to.
    fn follow(&self, turn: &TurnId) -> Result<Step> {
        self.find(turn)?.ok_or_else(|| Error::Failed(format!("turn {turn} is missing from its path")))
    }

    fn parent(&self, of: &Step) -> Result<Option<Step>> {
        of.parent.as_ref().map(|turn| self.follow(turn)).transpose()
    }

    /// The links of a new turn that continues `parent`.
    pub(crate) fn links_below(&self, parent: Option<&Step>) -> Result<Links> {
        let Some(parent) = parent else { return Ok(Links { depth: 1, ..Links::default() }) };
        let up = &parent.links;
        let further = match &up.jump {
            Some(jump) => self.follow(jump)?.links,
            None => Links::default(),
        };
        let (jump, jump_depth) = if up.depth - up.jump_depth == up.jump_depth - further.jump_depth {
            (further.jump, further.jump_depth)
        } else {
            (Some(parent.id.clone()), up.depth)
        };
        Ok(Links { depth: up.depth + 1, jump, jump_depth })
    }

    /// The last turn of the path to `tip` whose number is at most `number`.
    pub(crate) fn up_to(&self, tip: Step, number: u64) -> Result<Option<Step>> {
        let mut at = tip;
        while at.number > number {
            let jump = at.links.jump.as_ref().map(|turn| self.follow(turn)).transpose()?;
            let next = match jump.filter(|jump| jump.number > number) {
                None => self.parent(&at)?,
                further => further,
            };
            let Some(next) = next else { return Ok(None) };
            at = next;
        }
        Ok(Some(at))
    }

    /// The turns of the path to `tip` between these depths, oldest first.
    pub(crate) fn stretch(&self, tip: &Step, first: u64, last: u64) -> Result<Vec<Step>> {
        let mut at = tip.clone();
        while at.links.depth > last {
            let next = at.links.jump.as_ref().filter(|_| at.links.jump_depth >= last).or(at.parent.as_ref());
            let Some(next) = next else { break };
            at = self.follow(next)?;
        }
        let mut steps = Vec::new();
        let mut next = Some(at);
        while let Some(step) = next.filter(|step| step.links.depth >= first) {
            next = self.parent(&step)?;
            steps.push(step);
        }
        steps.reverse();
        Ok(steps)
    }

    /// The turns that are sent with a turn whose nearest counting ancestor is `base`, oldest first. Reads no more than
    /// those and one turn beyond.
    pub(crate) fn window(&self, base: Option<TurnId>, cut: Cut) -> Result<Vec<Sent>> {
        self.bases(base, |_, before, through| cut.keeps(before, through))
    }

    /// The turns that were sent with a turn, once `from` is known to be the oldest of them.
    pub(crate) fn window_from(&self, base: Option<TurnId>, from: Option<TurnId>) -> Result<Vec<Sent>> {
        let Some(from) = from else { return Ok(Vec::new()) };
        let oldest = self.follow(&from)?.number;
        self.bases(base, |number, _, _| number >= oldest)
    }

    /// Mostly the turns of a path follow each other in the session too: they are read in one go, down to where a turn
    /// of another branch lies between.
    fn bases(&self, base: Option<TurnId>, keep: impl Fn(u64, Counters, Counters) -> bool) -> Result<Vec<Sent>> {
        let mut sent = Vec::new();
        let mut next = base;
        while let Some(top) = &next {
            let top = self.follow(top)?.number;
            let mut statement = self.conn.prepare_cached(
                "SELECT id, number, before_messages, before_tokens, through_messages, through_tokens, base
                 FROM chat_turns WHERE project_id = ? AND session_id = ? AND number <= ? ORDER BY number DESC",
            )?;
            let mut rows = statement.query(params![self.project.as_str(), self.session.as_str(), top])?;
            while let (Some(turn), Some(row)) = (&next, rows.next()?) {
                let mut columns = Columns::of(row);
                if columns.text()? != Some(turn.as_str()) {
                    break;
                }
                let number = columns.get()?;
                let before = Counters { messages: columns.get()?, tokens: columns.get()? };
                let through = Counters { messages: columns.get()?, tokens: columns.get()? };
                if !keep(number, before, through) {
                    next = None;
                    break;
                }
                let id = std::mem::replace(&mut next, columns.optional_word()?);
                sent.extend(id.map(|id| Sent { id, number, before, through }));
            }
        }
        sent.reverse();
        Ok(sent)
    }
}
