//! A session's turns, a page at a time.

use rusqlite::{Connection, params};
use session::id::{ProjectId, SessionId, TurnId};

use super::{Turn, read};
use crate::{
    Store,
    error::{Error, Result},
    rows::{optional, word},
    sessions::{self, Order, Page},
    writer::Reply,
};

#[derive(Debug, Clone, Default)]
pub struct TurnList {
    pub turns: Vec<Turn>,
    pub has_more: bool,
}

impl Store {
    /// Every turn of a session that has started, by number, the queued ones behind them. One that was withdrawn from
    /// the queue has left no trace here.
    pub fn turns(&self, project: ProjectId, session: SessionId, page: Page) -> Reply<TurnList> {
        self.inner.readers.read(move |conn| {
            sessions::find(conn, &project, &session)?.ok_or(Error::SessionNotFound)?;
            list(conn, &project, &session, &page)
        })
    }
}

/// Where a turn stands in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Number(i64),
    Position(i64),
}

/// Two queries for each direction: the started turns and the queued ones have an index each.
const STARTED: [&str; 2] = [
    "SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND number > ?3 AND number < ?4
     ORDER BY number LIMIT ?5",
    "SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND number > ?3 AND number < ?4
     ORDER BY number DESC LIMIT ?5",
];
const QUEUED: [&str; 2] = [
    "SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'queued'
       AND position > ?3 AND position < ?4 ORDER BY position LIMIT ?5",
    "SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'queued'
       AND position > ?3 AND position < ?4 ORDER BY position DESC LIMIT ?5",
];

fn list(conn: &Connection, project: &ProjectId, session: &SessionId, page: &Page) -> Result<TurnList> {
    let place = |cursor: &Option<String>, name| {
        let Some(id) = cursor else { return Ok(None) };
        place(conn, project, session, id)?.ok_or(Error::BadCursor(name)).map(Some)
    };
    let (after, before) = (place(&page.after, "after")?, place(&page.before, "before")?);
    let descending = page.order == Order::Desc;
    let (low, high) = if descending { (before, after) } else { (after, before) };
    let low = low.unwrap_or(Place::Number(i64::MIN));
    let high = high.unwrap_or(Place::Position(i64::MAX));
    // Read from the cursor on, whichever side of it the page is.
    let backwards = page.before.is_some() && page.after.is_none();
    let from_the_end = descending != backwards;

    let wanted = page.limit as usize + 1;
    let mut ids: Vec<TurnId> = Vec::new();
    let mut fetch = |sql: &str, low: i64, high: i64| -> Result<()> {
        let left = wanted.saturating_sub(ids.len());
        let mut statement = conn.prepare_cached(sql)?;
        let key = params![project.as_str(), session.as_str(), low, high, left];
        let more: rusqlite::Result<Vec<TurnId>> = statement.query_map(key, |row| word(row, "id"))?.collect();
        ids.extend(more?);
        Ok(())
    };
    let started = match (low, high) {
        (Place::Number(low), Place::Number(high)) => Some((low, high)),
        (Place::Number(low), Place::Position(_)) => Some((low, i64::MAX)),
        (Place::Position(_), _) => None,
    };
    let queued = match (low, high) {
        (Place::Position(low), Place::Position(high)) => Some((low, high)),
        (Place::Number(_), Place::Position(high)) => Some((i64::MIN, high)),
        (_, Place::Number(_)) => None,
    };
    let mut parts = [(STARTED, started), (QUEUED, queued)];
    if from_the_end {
        parts.reverse();
    }
    for (sql, bounds) in parts {
        if let Some((low, high)) = bounds {
            fetch(sql[usize::from(from_the_end)], low, high)?;
        }
    }

    let has_more = ids.len() > page.limit as usize;
    ids.truncate(page.limit as usize);
    if backwards {
        ids.reverse();
    }
    let turns = ids.iter().map(|id| read::turn(conn, project, id)?.ok_or(Error::TurnNotFound));
    Ok(TurnList { turns: turns.collect::<Result<_>>()?, has_more })
}

fn place(conn: &Connection, project: &ProjectId, session: &SessionId, id: &str) -> Result<Option<Place>> {
    let found = conn
        .prepare_cached("SELECT number, position FROM chat_turns WHERE project_id = ? AND id = ? AND session_id = ?")?
        .query_row([project.as_str(), id, session.as_str()], |row| {
            let (number, position): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(number.map(Place::Number).or(position.map(Place::Position)))
        });
    Ok(optional(found)?.flatten())
}
