//! Free turns, which run beside the lane: those that wait start when the turn that they continue has ended.

use rusqlite::{Connection, params};
use session::{
    id::{Owner, ProjectId, SessionId, TurnId},
    time::Time,
};

use super::{
    Beside, Started, lane,
    start::{Here, start_queued},
};
use crate::{
    Store,
    error::{Error, Result},
    rows::Columns,
    writer::Reply,
};

impl Store {
    /// Starts the free turns of a session that need not wait any more, after a server came back.
    pub fn start_free(&self, project: ProjectId, session: SessionId, owner: Owner, now: Time) -> Reply<Vec<Started>> {
        let beside = self.beside();
        self.inner.writer.start_verb("start_free", move |conn| {
            let here = Here { project: &project, session: &session, owner: &owner, now };
            start_each(conn, &beside, here, ready(conn, here)?)
        })
    }
}

/// The free turns whose parent has ended.
fn ready(conn: &Connection, here: Here<'_>) -> Result<Vec<TurnId>> {
    let mut statement = conn.prepare_cached(
        "SELECT q.id FROM chat_turns q CROSS JOIN chat_turns p ON p.project_id = q.project_id AND p.id = q.parent
         WHERE q.project_id = ? AND q.session_id = ? AND q.status = 'queued' AND q.free = 1 AND p.status <> 'running'",
    )?;
    let found: rusqlite::Result<_> =
        statement.query_map([here.project.as_str(), here.session.as_str()], |row| Columns::of(row).word())?.collect();
    Ok(found?)
}

/// Starts the free turns that wait for `parent`, in the order that they came.
pub(super) fn children(conn: &Connection, beside: &Beside, here: Here<'_>, parent: &TurnId) -> Result<Vec<Started>> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM chat_turns WHERE project_id = ? AND session_id = ? AND parent = ? AND status = 'queued'
             AND free = 1 ORDER BY position",
    )?;
    let key = params![here.project.as_str(), here.session.as_str(), parent.as_str()];
    let waiting: rusqlite::Result<_> = statement.query_map(key, |row| Columns::of(row).word())?.collect();
    start_each(conn, beside, here, waiting?)
}

fn start_each(conn: &Connection, beside: &Beside, here: Here<'_>, turns: Vec<TurnId>) -> Result<Vec<Started>> {
    let start = |turn: TurnId| {
        // Read anew for each: a start changes what the next one finds.
        let lane = lane::read_any(conn, here.project, here.session)?.ok_or(Error::SessionNotFound)?;
        start_queued(conn, beside, lane, here, &turn)
    };
    turns.into_iter().map(start).collect()
}
