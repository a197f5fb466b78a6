//! Sessions changed, deleted and restored.

use rusqlite::{Connection, params, types::Value};
use session::{
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::OnFailure,
    time::Time,
    title::AutoTitle,
};

use super::{Session, find, require_config};
use crate::{
    Store,
    error::{Error, Result},
    rows::json,
    search,
    turns::{self, Turn},
    walk::Tree,
    writer::Reply,
};

/// `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct SessionChange {
    pub title: Option<Option<String>>,
    pub auto_title: Option<AutoTitle>,
    pub config: Option<Option<ConfigId>>,
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    pub metadata: Option<serde_json::Value>,
    pub head: Option<Option<TurnId>>,
    pub on_failure: Option<OnFailure>,
}

impl Store {
    pub fn change_session(
        &self,
        project: ProjectId,
        id: SessionId,
        change: SessionChange,
        now: Time,
    ) -> Reply<Session> {
        self.inner.writer.start_verb("change_session", move |conn| {
            let session = find(conn, &project, &id)?.ok_or(Error::SessionNotFound)?;
            if let Some(Some(config)) = &change.config {
                require_config(conn, &project, config)?;
            }
            if let Some(head) = &change.head {
                // Whatever runs will be the head when it ends.
                if session.running.is_some() {
                    return Err(Error::Busy { turn: session.running });
                }
                let tree = Tree { conn, project: &project, session: &id };
                if let Some(head) = head
                    && tree.find(head)?.is_none()
                {
                    return Err(Error::TurnNotFound);
                }
            }
            write_change(conn, &project, &id, &change, now)?;
            if change.title.is_some() {
                search::title_changed(conn, &project, &id)?;
            }
            find(conn, &project, &id)?.ok_or(Error::SessionNotFound)
        })
    }

    /// Hides the session and cancels what waits there; gives the running turns, which their owner has to stop, and the
    /// cancelled ones.
    pub fn delete_session(&self, project: ProjectId, id: SessionId, now: Time) -> Reply<(Vec<TurnId>, Vec<Turn>)> {
        self.inner.writer.start_verb("delete_session", move |conn| {
            find(conn, &project, &id)?.ok_or(Error::SessionNotFound)?;
            let mut cancelled = Vec::new();
            for (turn, _) in turns::waiting(conn, &project, &id)? {
                turns::cancel_queued(conn, &project, &turn, now)?;
                cancelled.extend(turns::turn(conn, &project, &turn)?);
            }
            conn.prepare_cached(
                "UPDATE chat_sessions SET deleted_at = ?, paused = 0, hold_turn = NULL, hold_until = NULL
                 WHERE project_id = ? AND id = ?",
            )?
            .execute(params![now.to_string(), project.as_str(), id.as_str()])?;
            Ok((turns::all_running(conn, &project, &id)?, cancelled))
        })
    }

    /// Undoes a deletion, until the purge has begun to take the session apart.
    pub fn restore_session(&self, project: ProjectId, id: SessionId) -> Reply<Session> {
        self.inner.writer.start_verb("restore_session", move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE chat_sessions SET deleted_at = NULL WHERE project_id = ? AND id = ? AND NOT purging",
                )?
                .execute([project.as_str(), id.as_str()])?;
            if changed == 0 {
                return Err(Error::SessionNotFound);
            }
            find(conn, &project, &id)?.ok_or_else(|| Error::Failed(format!("session {id} did not come back")))
        })
    }
}

fn write_change(
    conn: &Connection,
    project: &ProjectId,
    id: &SessionId,
    change: &SessionChange,
    now: Time,
) -> Result<()> {
    let mut sets = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut set = |column: &str, value: Value| {
        sets.push(format!("{column} = ?"));
        values.push(value);
    };
    if let Some(title) = &change.title {
        set("title", title.clone().map_or(Value::Null, Value::Text));
        set("title_from", Value::Null);
    }
    if let Some(auto_title) = change.auto_title {
        set("auto_title", auto_title.as_str().to_owned().into());
    }
    if let Some(config) = &change.config {
        set("config_id", config.as_ref().map_or(Value::Null, |id| Value::Text(id.to_string())));
    }
    if let Some(pinned) = change.pinned {
        set("pinned", pinned.into());
    }
    if let Some(archived) = change.archived {
        set("archived", archived.into());
    }
    if let Some(metadata) = &change.metadata {
        set("metadata", json(metadata)?.into());
    }
    if let Some(head) = &change.head {
        set("head", head.as_ref().map_or(Value::Null, |id| Value::Text(id.to_string())));
        set("hold_turn", Value::Null);
        set("hold_until", Value::Null);
        set("active_at", now.to_string().into());
    }
    if let Some(on_failure) = change.on_failure {
        set("on_failure", on_failure.as_str().to_owned().into());
    }
    if sets.is_empty() {
        return Ok(());
    }
    values.push(project.as_str().to_owned().into());
    values.push(id.as_str().to_owned().into());
    let sql = format!("UPDATE chat_sessions SET {} WHERE project_id = ? AND id = ?", sets.join(", "));
    conn.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}
