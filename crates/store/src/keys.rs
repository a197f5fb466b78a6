//! API keys: who may call, for which project. Only hashes are stored.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use session::{
    id::{KeyId, ProjectId},
    time::Time,
};

use crate::{
    Store,
    error::{Error, Result},
    rows::{optional, optional_word, time, word},
    writer::Reply,
};

#[derive(Debug, Clone)]
pub struct NewKey {
    pub project: ProjectId,
    pub id: KeyId,
    pub name: String,
    /// SHA-256 of the key. A key has 128 random bits, so a plain hash cannot be searched.
    pub hash: [u8; 32],
    pub now: Time,
}

#[derive(Debug, Clone, Serialize)]
pub struct ApiKey {
    pub project: ProjectId,
    pub id: KeyId,
    pub name: String,
    pub created_at: Time,
    pub revoked_at: Option<Time>,
}

impl ApiKey {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
        Ok(ApiKey {
            project: word(row, "project_id")?,
            id: word(row, "id")?,
            name: row.get("name")?,
            created_at: time(row, "created_at")?,
            revoked_at: optional_word(row, "revoked_at")?,
        })
    }
}

impl Store {
    /// Also makes the project, when this is its first key. An id names one key across all projects.
    pub fn create_key(&self, new: NewKey) -> Reply<()> {
        self.inner.writer.start_verb("create_key", move |conn| {
            let taken: bool = conn
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM api_keys WHERE id = ? OR hash = ?)")?
                .query_row(params![new.id.as_str(), new.hash.as_slice()], |row| row.get(0))?;
            if taken {
                return Err(Error::Taken);
            }
            ensure_project(conn, &new.project, new.now)?;
            conn.prepare_cached(
                "INSERT INTO api_keys (project_id, id, name, hash, created_at) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                new.project.as_str(),
                new.id.as_str(),
                new.name,
                new.hash.as_slice(),
                new.now.to_string()
            ])?;
            Ok(())
        })
    }

    pub fn keys(&self) -> Reply<Vec<ApiKey>> {
        self.inner.readers.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT * FROM api_keys ORDER BY created_at, id")?;
            let keys: rusqlite::Result<_> = statement.query_map([], ApiKey::from_row)?.collect();
            Ok(keys?)
        })
    }

    /// The key with this hash, unless it has been revoked.
    pub fn key_by_hash(&self, hash: [u8; 32]) -> Reply<Option<ApiKey>> {
        self.inner.readers.read(move |conn| {
            let mut statement = conn.prepare_cached("SELECT * FROM api_keys WHERE hash = ? AND revoked_at IS NULL")?;
            optional(statement.query_row([hash.as_slice()], ApiKey::from_row))
        })
    }

    /// As [`Store::key_by_hash`], by its id.
    pub fn key(&self, id: KeyId) -> Reply<Option<ApiKey>> {
        self.inner.readers.read(move |conn| {
            let mut statement = conn.prepare_cached("SELECT * FROM api_keys WHERE id = ? AND revoked_at IS NULL")?;
            optional(statement.query_row([id.as_str()], ApiKey::from_row))
        })
    }

    pub fn revoke_key(&self, id: KeyId, now: Time) -> Reply<()> {
        self.inner.writer.start_verb("revoke_key", move |conn| {
            let changed = conn
                .prepare_cached("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?")?
                .execute(params![now.to_string(), id.as_str()])?;
            if changed == 0 { Err(Error::KeyNotFound) } else { Ok(()) }
        })
    }
}

pub(crate) fn ensure_project(conn: &Connection, project: &ProjectId, now: Time) -> Result<()> {
    conn.prepare_cached("INSERT INTO projects (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING")?
        .execute(params![project.as_str(), now.to_string()])?;
    Ok(())
}
