//! A session's tree of turns as its readers see it: paths in order, siblings at the forks.

use std::collections::HashMap;

use rusqlite::params;
use session::id::{ProjectId, SessionId, TurnId};

use crate::{
    Store,
    error::{Error, Result},
    messages::{self, PathMessage},
    rows::{optional, word},
    sessions::{self, Order, Page},
    turns::{self, Turn},
    walk::{Step, Tree},
    writer::Reply,
};

/// A stretch of a path.
#[derive(Debug, Clone, Default)]
pub struct PathPage {
    pub messages: Vec<PathMessage>,
    /// The turns that the messages belong to.
    pub turns: HashMap<TurnId, Turn>,
    /// For each of those turns, all turns with the same parent, itself included, in order.
    pub siblings: HashMap<TurnId, Vec<TurnId>>,
    pub has_more: bool,
}

impl Store {
    /// The messages of the path that ends with `branch`, or with the running turn or the head.
    pub fn path(&self, project: ProjectId, session: SessionId, branch: Option<TurnId>, page: Page) -> Reply<PathPage> {
        self.inner.readers.read(move |conn| {
            let found = sessions::find(conn, &project, &session)?.ok_or(Error::SessionNotFound)?;
            let tree = Tree { conn, project: &project, session: &session };
            let Some(tip) = branch.or(found.running).or(found.head) else { return Ok(PathPage::default()) };
            let Some(step) = tree.find(&tip)? else {
                let waits = turns::turn(conn, &project, &tip)?.is_some_and(|turn| turn.session == session);
                return Err(if waits { Error::NotStarted } else { Error::TurnNotFound });
            };
            path(tree, step, &page)
        })
    }
}

/// A message's place: its turn's number, and its place in the turn.
type Place = (u64, u32);

fn path(tree: Tree<'_>, tip: Step, page: &Page) -> Result<PathPage> {
    let (after, before) = (place(tree, &page.after, "after")?, place(tree, &page.before, "before")?);
    let descending = page.order == Order::Desc;
    // Between these two places of the path, whichever way it is read.
    let (low, high) = if descending { (before, after) } else { (after, before) };
    // The page lies next to its cursor, on whichever side.
    let from_the_end = descending != (before.is_some() && after.is_none());
    let tip = match high {
        Some((number, _)) => tree.up_to(tip, number)?,
        None => Some(tip),
    };
    let Some(tip) = tip else { return Ok(PathPage::default()) };

    let wanted = page.limit as usize + 1;
    let within = |message: &PathMessage| {
        let place = (message.number, message.place);
        low.is_none_or(|low| place > low) && high.is_none_or(|high| place < high)
    };
    let mut found = if from_the_end {
        backwards(tree, tip, low, wanted, within)?
    } else {
        onwards(tree, tip, low, wanted, within)?
    };
    let has_more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    if from_the_end != descending {
        found.reverse();
    }
    with_turns(tree, found, has_more)
}

fn place(tree: Tree<'_>, cursor: &Option<String>, name: &'static str) -> Result<Option<Place>> {
    let Some(id) = cursor else { return Ok(None) };
    let found = tree
        .conn
        .prepare_cached("SELECT number, place FROM chat_messages WHERE project_id = ? AND id = ? AND session_id = ?")?
        .query_row([tree.project.as_str(), id, tree.session.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
    optional(found)?.ok_or(Error::BadCursor(name)).map(Some)
}

fn backwards(
    tree: Tree<'_>,
    tip: Step,
    low: Option<Place>,
    wanted: usize,
    within: impl Fn(&PathMessage) -> bool,
) -> Result<Vec<PathMessage>> {
    let mut found = Vec::new();
    let mut depth = tip.links.depth;
    while depth > 0 && found.len() < wanted {
        let first = depth.saturating_sub(wanted as u64 / 2);
        let numbers = numbers(&tree.stretch(&tip, first, depth)?);
        let of_turns = messages::of_turns(tree.conn, tree.project, tree.session, &numbers)?;
        found.extend(of_turns.into_iter().rev().filter(&within));
        if numbers.first().zip(low).is_some_and(|(number, low)| *number <= low.0) {
            break;
        }
        depth = first.saturating_sub(1);
    }
    Ok(found)
}

fn onwards(
    tree: Tree<'_>,
    tip: Step,
    low: Option<Place>,
    wanted: usize,
    within: impl Fn(&PathMessage) -> bool,
) -> Result<Vec<PathMessage>> {
    let mut found = Vec::new();
    let mut depth = match low {
        // The turn of the last message seen may have more of them.
        Some((number, _)) => tree.up_to(tip.clone(), number.saturating_sub(1))?.map_or(1, |step| step.links.depth + 1),
        None => 1,
    };
    while depth <= tip.links.depth && found.len() < wanted {
        let last = depth + wanted as u64 / 2;
        let numbers = numbers(&tree.stretch(&tip, depth, last)?);
        let of_turns = messages::of_turns(tree.conn, tree.project, tree.session, &numbers)?;
        found.extend(of_turns.into_iter().filter(&within));
        depth = last + 1;
    }
    Ok(found)
}

fn numbers(steps: &[Step]) -> Vec<u64> {
    steps.iter().map(|step| step.number).collect()
}

fn with_turns(tree: Tree<'_>, messages: Vec<PathMessage>, has_more: bool) -> Result<PathPage> {
    let mut page = PathPage { has_more, ..PathPage::default() };
    for found in &messages {
        let id = &found.message.turn_id;
        if page.turns.contains_key(id) {
            continue;
        }
        let turn = turns::turn(tree.conn, tree.project, id)?.ok_or(Error::TurnNotFound)?;
        page.siblings.insert(id.clone(), siblings(tree, turn.parent.as_ref())?);
        page.turns.insert(id.clone(), turn);
    }
    page.messages = messages;
    Ok(page)
}

/// The first child of a turn mostly started right after it; only the others are kept in an index of their own.
fn siblings(tree: Tree<'_>, parent: Option<&TurnId>) -> Result<Vec<TurnId>> {
    let mut statement = tree.conn.prepare_cached(
        "SELECT id, number FROM chat_turns
         WHERE project_id = ?1 AND session_id = ?2 AND parent IS ?3
             AND number = 1 + coalesce((SELECT number FROM chat_turns WHERE project_id = ?1 AND id = ?3), 0)
         UNION ALL
         SELECT id, number FROM chat_turns
         WHERE project_id = ?1 AND session_id = ?2 AND parent IS ?3 AND apart = 1
         ORDER BY number",
    )?;
    let key = params![tree.project.as_str(), tree.session.as_str(), parent.map(TurnId::as_str)];
    let found: rusqlite::Result<_> = statement.query_map(key, |row| word(row, "id"))?.collect();
    Ok(found?)
}
