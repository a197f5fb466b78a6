//! Sessions: made and found; listed, changed and deleted in the files beside.

mod change;
mod list;
mod title;

use rusqlite::{Connection, Row, params};
use session::{
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::OnFailure,
    time::Time,
    title::AutoTitle,
    turn::Status,
};

use crate::{
    Store,
    error::{Error, Result},
    idempotency::{self, Idempotency},
    keys::ensure_project,
    rows::{json, optional, optional_json, optional_word, time, word},
    writer::Reply,
};

pub use change::SessionChange;
pub use list::{Order, Page, SessionFilter, SessionList};
pub(crate) use title::ask as ask_for_title;

#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub title: Option<String>,
    pub auto_title: AutoTitle,
    pub config: Option<ConfigId>,
    pub system: Option<String>,
    pub metadata: serde_json::Value,
    pub on_failure: OnFailure,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub title: Option<String>,
    pub auto_title: AutoTitle,
    pub config: Option<ConfigId>,
    pub system: Option<String>,
    pub metadata: serde_json::Value,
    pub on_failure: OnFailure,
    pub pinned: bool,
    pub archived: bool,
    pub head: Option<TurnId>,
    /// Of the turn at the head.
    pub head_status: Option<Status>,
    pub head_ended_at: Option<Time>,
    pub turns: u64,
    pub paused: bool,
    /// The turn that runs now: the lane's, or else the free one that started last.
    pub running: Option<TurnId>,
    /// Turns that wait, free ones included.
    pub queued: u32,
    pub created_at: Time,
    pub active_at: Time,
}

const SELECT: &str = "SELECT s.*,
        coalesce(
            (SELECT id FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
                AND t.status = 'running' AND t.free = 0),
            (SELECT id FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
                AND t.status = 'running' AND t.free = 1 ORDER BY number DESC LIMIT 1)) AS running,
        (SELECT count(*) FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
            AND t.status = 'queued') AS queued,
        EXISTS (SELECT 1 FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
            AND t.status = 'queued' AND t.free = 0) AS lane_waits,
        h.status AS head_status, h.ended_at AS head_ended_at
    FROM chat_sessions s LEFT JOIN chat_turns h ON h.project_id = s.project_id AND h.id = s.head";

impl Session {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
        Ok(Session {
            id: word(row, "id")?,
            title: row.get("title")?,
            auto_title: word(row, "auto_title")?,
            config: optional_word(row, "config_id")?,
            system: row.get("system")?,
            metadata: optional_json(row, "metadata")?.unwrap_or_default(),
            on_failure: word(row, "on_failure")?,
            pinned: row.get("pinned")?,
            archived: row.get("archived")?,
            head: optional_word(row, "head")?,
            head_status: optional_word(row, "head_status")?,
            head_ended_at: optional_word(row, "head_ended_at")?,
            turns: row.get("turns")?,
            // With nobody waiting a pause says nothing.
            paused: row.get("paused")? && row.get("lane_waits")?,
            running: optional_word(row, "running")?,
            queued: row.get("queued")?,
            created_at: time(row, "created_at")?,
            active_at: time(row, "active_at")?,
        })
    }
}

impl Store {
    /// Gives back the id: the earlier one when the same request came before.
    pub fn create_session(
        &self,
        project: ProjectId,
        new: NewSession,
        key: Option<Idempotency>,
        now: Time,
    ) -> Reply<SessionId> {
        self.inner.writer.start_verb("create_session", move |conn| {
            if let Some(made) = idempotency::made_before(conn, &project, key.as_ref())? {
                return made.parse().map_err(|_| Error::Failed("a stored id is damaged".into()));
            }
            if let Some(config) = &new.config {
                require_config(conn, &project, config)?;
            }
            if is_taken(conn, &project, &new.id)? {
                return Err(Error::Taken);
            }
            ensure_project(conn, &project, now)?;
            insert(conn, &project, &new, false, now)?;
            idempotency::remember(conn, &project, key.as_ref(), new.id.as_str(), now)?;
            Ok(new.id.clone())
        })
    }

    pub fn session(&self, project: ProjectId, id: SessionId) -> Reply<Option<Session>> {
        self.inner.readers.read(move |conn| find(conn, &project, &id))
    }
}

/// A deleted session keeps its id until it is purged: it may be restored.
pub(crate) fn is_taken(conn: &Connection, project: &ProjectId, id: &SessionId) -> Result<bool> {
    let mut statement =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM chat_sessions WHERE project_id = ? AND id = ?)")?;
    Ok(statement.query_row([project.as_str(), id.as_str()], |row| row.get(0))?)
}

fn require_config(conn: &Connection, project: &ProjectId, config: &ConfigId) -> Result<()> {
    let exists: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM chat_configs WHERE project_id = ? AND id = ? AND deleted_at IS NULL)",
        )?
        .query_row([project.as_str(), config.as_str()], |row| row.get(0))?;
    if exists { Ok(()) } else { Err(Error::ConfigNotFound) }
}

/// A session that comes with its first turn.
pub(crate) fn insert_bare(
    conn: &Connection,
    project: &ProjectId,
    id: &SessionId,
    config: Option<&ConfigId>,
    chain: bool,
    now: Time,
) -> Result<()> {
    let new = NewSession {
        id: id.clone(),
        title: None,
        auto_title: AutoTitle::FirstLine,
        config: config.cloned(),
        system: None,
        metadata: serde_json::json!({}),
        on_failure: OnFailure::Continue,
    };
    insert(conn, project, &new, chain, now)
}

fn insert(conn: &Connection, project: &ProjectId, new: &NewSession, chain: bool, now: Time) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO chat_sessions (project_id, id, title, config_id, system, metadata, on_failure,
             created_at, active_at, auto_title, chain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)",
    )?
    .execute(params![
        project.as_str(),
        new.id.as_str(),
        new.title,
        new.config.as_ref().map(ConfigId::as_str),
        new.system,
        json(&new.metadata)?,
        new.on_failure.as_str(),
        now.to_string(),
        new.auto_title.as_str(),
        chain
    ])?;
    Ok(())
}

pub(crate) fn find(conn: &Connection, project: &ProjectId, id: &SessionId) -> Result<Option<Session>> {
    let mut statement =
        conn.prepare_cached(&format!("{SELECT} WHERE s.project_id = ? AND s.id = ? AND s.deleted_at IS NULL"))?;
    optional(statement.query_row([project.as_str(), id.as_str()], Session::from_row))
}
