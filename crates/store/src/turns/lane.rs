//! A session's lane as the decisions in `session::lane` want to see it.

use rusqlite::{Connection, params};
use session::{
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::{Hold, Lane, OnFailure},
    time::Time,
};

use crate::{
    error::{Error, Result},
    rows::{Columns, optional},
};

/// A session's row, as far as turns need it, and its lane.
pub(crate) struct SessionLane {
    pub lane: Lane,
    pub head: Option<TurnId>,
    pub turns: u64,
    pub config: Option<ConfigId>,
    pub system: Option<String>,
    pub on_failure: OnFailure,
    pub untitled: bool,
    /// Its title is its first line, and a model is to make a better one.
    pub awaits_title: bool,
    pub deleted: bool,
    /// Its turns may run beside the lane.
    pub chain: bool,
    /// Free turns that wait.
    pub waiting: u32,
    /// What the first of the queue continues, while that still runs.
    pub parent_of_next: Option<TurnId>,
    /// Positions of the first and the last turn that waits, free ones included.
    pub ends: Option<(i64, i64)>,
}

/// `None` when there is no such session, or it has been deleted.
pub(crate) fn read(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<Option<SessionLane>> {
    Ok(read_any(conn, project, session)?.filter(|lane| !lane.deleted))
}

/// The lane of a deleted session too: the owner of a turn that still runs there has to end it.
pub(crate) fn read_any(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<Option<SessionLane>> {
    let mut statement = conn.prepare_cached(
        "SELECT paused, hold_turn, hold_until, head, turns, config_id, system, on_failure, title IS NULL,
             title_from IS 'first_line' AND auto_title = 'model', deleted_at IS NOT NULL, chain,
             (SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'running' AND free = 0),
             EXISTS (SELECT 1 FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'queued')
         FROM chat_sessions WHERE project_id = ?1 AND id = ?2",
    )?;
    let key = [project.as_str(), session.as_str()];
    let found = statement.query_row(key, |row| {
        let mut columns = Columns::of(row);
        let paused = columns.get()?;
        let hold = columns.optional_word::<TurnId>()?.zip(columns.optional_word::<Time>()?);
        let mut lane = SessionLane {
            lane: Lane { paused, hold: hold.map(|(turn, until)| Hold { turn, until }), ..Lane::default() },
            head: columns.optional_word()?,
            turns: columns.get()?,
            config: columns.optional_word()?,
            system: columns.get()?,
            on_failure: columns.word()?,
            untitled: columns.get()?,
            awaits_title: columns.get()?,
            deleted: columns.get()?,
            chain: columns.get()?,
            waiting: 0,
            parent_of_next: None,
            ends: None,
        };
        lane.lane.running = columns.optional_word()?;
        Ok((lane, columns.get()?))
    });
    let Some((mut lane, some_wait)) = optional(found)? else { return Ok(None) };
    if some_wait {
        let mut statement = conn.prepare_cached(
            "SELECT count(*) - sum(free), sum(free), min(position), max(position) FROM chat_turns
             WHERE project_id = ? AND session_id = ? AND status = 'queued'",
        )?;
        (lane.lane.queued, lane.waiting, lane.ends) =
            statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?, Some((row.get(2)?, row.get(3)?)))))?;
    }
    if lane.lane.queued > 0 {
        let (next, parent) = first(conn, project, session)?;
        (lane.lane.next, lane.parent_of_next) = (Some(next), parent);
    }
    Ok(Some(lane))
}

/// The first of the lane's queue, and what it continues, if that was named and still runs.
fn first(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<(TurnId, Option<TurnId>)> {
    let mut statement = conn.prepare_cached(
        "SELECT id, (SELECT id FROM chat_turns p
                     WHERE p.project_id = q.project_id AND p.id = q.parent AND p.status = 'running')
         FROM chat_turns q WHERE project_id = ? AND session_id = ? AND status = 'queued' AND free = 0
         ORDER BY position LIMIT 1",
    )?;
    Ok(statement.query_row([project.as_str(), session.as_str()], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.word()?, columns.optional_word()?))
    })?)
}

/// All turns of a session that run: the lane's and the free ones.
pub(crate) fn all_running(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<Vec<TurnId>> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'running' AND free = 0
         UNION ALL
         SELECT id FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND status = 'running' AND free = 1",
    )?;
    let found: rusqlite::Result<_> =
        statement.query_map([project.as_str(), session.as_str()], |row| Columns::of(row).word())?.collect();
    Ok(found?)
}

/// All turns of a session that wait, in order, and whether they are free.
pub(crate) fn waiting(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<Vec<(TurnId, bool)>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, free FROM chat_turns WHERE project_id = ? AND session_id = ? AND status = 'queued'
         ORDER BY position",
    )?;
    let found: rusqlite::Result<_> = statement
        .query_map([project.as_str(), session.as_str()], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.word()?, columns.get()?))
        })?
        .collect();
    Ok(found?)
}

/// Writes what a turn's end, or a client, changed about a lane.
pub(crate) fn write(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    lane: &SessionLane,
    now: Time,
) -> Result<()> {
    let hold = lane.lane.hold.as_ref();
    let changed = conn
        .prepare_cached(
            "UPDATE chat_sessions SET head = ?, paused = ?, hold_turn = ?, hold_until = ?, active_at = ?
             WHERE project_id = ? AND id = ?",
        )?
        .execute(params![
            lane.head.as_ref().map(TurnId::as_str),
            lane.lane.paused,
            hold.map(|hold| hold.turn.as_str()),
            hold.map(|hold| hold.until.to_string()),
            now.to_string(),
            project.as_str(),
            session.as_str()
        ])?;
    if changed == 1 { Ok(()) } else { Err(Error::Failed(format!("session {session} has no row"))) }
}
