//! One key of one caller makes one thing. The key is written in the transaction that makes the thing, so that neither
//! is ever there without the other.

use rusqlite::{Connection, params};
use session::{id::ProjectId, time::Time};

use crate::{
    error::{Error, Result},
    rows::optional,
};

/// A request's key, in the scope that makes it one of a kind.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Who asks: an API key's id, or the one open door of a server without keys.
    pub caller: String,
    /// The concrete path, ids included.
    pub path: String,
    pub key: String,
    /// SHA-256 of the body without what may differ between a request and its retry.
    pub body_hash: [u8; 32],
}

/// What the same request made before, if it came before.
pub(crate) fn made_before(conn: &Connection, project: &ProjectId, ask: Option<&Idempotency>) -> Result<Option<String>> {
    let Some(ask) = ask else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT body_hash, resource FROM idempotency_keys WHERE project_id = ? AND caller = ? AND path = ? AND key = ?",
    )?;
    let found = statement.query_row(params![project.as_str(), ask.caller, ask.path, ask.key], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?))
    });
    match optional(found)? {
        Some((hash, _)) if hash != ask.body_hash => Err(Error::KeyReused),
        found => Ok(found.map(|(_, resource)| resource)),
    }
}

pub(crate) fn remember(
    conn: &Connection,
    project: &ProjectId,
    ask: Option<&Idempotency>,
    resource: &str,
    now: Time,
) -> Result<()> {
    let Some(ask) = ask else { return Ok(()) };
    let mut statement = conn.prepare_cached(
        "INSERT INTO idempotency_keys (project_id, caller, path, key, body_hash, resource, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let hash = ask.body_hash.as_slice();
    statement.execute(params![project.as_str(), ask.caller, ask.path, ask.key, hash, resource, now.to_string()])?;
    Ok(())
}
