//! Throwing away what has had its time, a little at once, so that no send waits behind it.

use rusqlite::{Connection, params};
use session::time::Time;

use crate::{Store, error::Result, rows::optional, search, writer::Reply};

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The event log of an ended turn; then a replay has one delta per message.
    pub events_ms: i64,
    pub idempotency_ms: i64,
    /// A deleted session; until then it can be restored.
    pub deleted_ms: i64,
}

impl Default for Retention {
    fn default() -> Self {
        const HOUR: i64 = 3_600_000;
        Retention { events_ms: 24 * HOUR, idempotency_ms: 24 * HOUR, deleted_ms: 30 * 24 * HOUR }
    }
}

/// Rows looked at in one go.
const STRIDE: u32 = 500;
/// Turns whose logs go at once. A log goes whole: the rest of one would be a stream that begins in the middle.
const TURNS: u32 = 20;

impl Store {
    /// One stride; gives how many rows went. Call again at once while that is not 0.
    pub fn purge(&self, keep: Retention, now: Time) -> Reply<usize> {
        self.inner.writer.start_verb("purge", move |conn| {
            let before = |ms: i64| now.plus_ms(-ms).to_string();
            // Rowids grow with time, so the oldest rows are looked at and nothing is scanned.
            let mut gone = conn
                .prepare_cached(
                    "DELETE FROM chat_segments WHERE (project_id, turn_id) IN
                       (SELECT DISTINCT t.project_id, t.id
                        FROM (SELECT project_id, turn_id FROM chat_segments ORDER BY rowid LIMIT ?2) AS oldest
                        CROSS JOIN chat_turns t ON t.project_id = oldest.project_id AND t.id = oldest.turn_id
                        WHERE t.ended_at < ?1 LIMIT ?3)",
                )?
                .execute(params![before(keep.events_ms), STRIDE, TURNS])?;
            gone += conn
                .prepare_cached(
                    "DELETE FROM idempotency_keys WHERE created_at < ?1 AND rowid IN
                       (SELECT rowid FROM idempotency_keys ORDER BY rowid LIMIT ?2)",
                )?
                .execute(params![before(keep.idempotency_ms), STRIDE])?;
            gone += sessions(conn, &before(keep.deleted_ms))?;
            Ok(gone)
        })
    }
}

/// Takes deleted sessions apart, one at a time and each in strides.
fn sessions(conn: &Connection, before: &str) -> Result<usize> {
    let found = conn
        .prepare_cached(
            "SELECT project_id, id FROM chat_sessions AS s WHERE deleted_at < ?
             AND NOT EXISTS (SELECT 1 FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
                             AND t.status = 'running' AND t.free = 0)
             AND NOT EXISTS (SELECT 1 FROM chat_turns t WHERE t.project_id = s.project_id AND t.session_id = s.id
                             AND t.status = 'running' AND t.free = 1)
             ORDER BY deleted_at LIMIT 1",
        )?
        .query_row([before], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let Some((project, session)) = optional(found)? else { return Ok(0) };
    conn.prepare_cached("UPDATE chat_sessions SET purging = 1 WHERE project_id = ? AND id = ? AND NOT purging")?
        .execute([&project, &session])?;
    search::forget(conn, &project, &session, STRIDE)?;
    for sql in [
        "DELETE FROM chat_segments WHERE rowid IN
           (SELECT e.rowid FROM chat_turns t
            CROSS JOIN chat_segments e ON e.project_id = t.project_id AND e.turn_id = t.id
            WHERE t.project_id = ?1 AND t.session_id = ?2 AND t.number IS NOT NULL LIMIT ?3)",
        "DELETE FROM chat_messages WHERE rowid IN
           (SELECT rowid FROM chat_messages WHERE session_id = ?2 AND project_id = ?1 LIMIT ?3)",
        "DELETE FROM chat_turns WHERE rowid IN
           (SELECT rowid FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND number IS NOT NULL LIMIT ?3)",
        "DELETE FROM chat_turns WHERE rowid IN
           (SELECT rowid FROM chat_turns WHERE project_id = ?1 AND session_id = ?2 AND number IS NULL
            AND status = 'cancelled' LIMIT ?3)",
        "DELETE FROM chat_sessions WHERE rowid IN
           (SELECT rowid FROM chat_sessions WHERE project_id = ?1 AND id = ?2 LIMIT ?3)",
    ] {
        let gone = conn.prepare_cached(sql)?.execute(params![project, session, STRIDE])?;
        if gone > 0 {
            search::step_back(conn)?;
            return Ok(gone);
        }
    }
    Ok(0)
}
