//! Forward-only migrations, run at start, each in one transaction with the note that it ran.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// In order; a file is never changed once it has been released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_core.sql"),
    include_str!("migrations/0002_search.sql"),
    include_str!("migrations/0003_titles.sql"),
    include_str!("migrations/0004_input.sql"),
    include_str!("migrations/0005_free_turns.sql"),
    include_str!("migrations/0006_deleted.sql"),
    include_str!("migrations/0007_apart.sql"),
];

/// Brings the file up to this program's version. A file of a later version is refused.
pub(crate) fn run(conn: &Connection) -> Result<()> {
    let done = version(conn)?;
    if done > MIGRATIONS.len() {
        return Err(Error::Failed(format!(
            "the data was written by a later version of turnwise (schema {done}, this one knows {}): use that version",
            MIGRATIONS.len()
        )));
    }
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        conn.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {}; COMMIT", at + 1))?;
    }
    Ok(())
}

/// For a connection that may not write: whether the file is of this program's version.
pub(crate) fn check(conn: &Connection) -> Result<()> {
    let done = version(conn)?;
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "the data has schema {done}, this program wants {}: start the server once",
        MIGRATIONS.len()
    )))
}

fn version(conn: &Connection) -> Result<usize> {
    let done: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(done).map_err(|_| Error::Failed(format!("this database is not of turnwise (schema {done})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_before_know_what_they_were_asked_with() {
        let conn = Connection::open_in_memory().unwrap();
        for sql in &MIGRATIONS[..3] {
            conn.execute_batch(sql).unwrap();
        }
        conn.execute_batch(
            "PRAGMA user_version = 3;
             INSERT INTO chat_turns (project_id, id, session_id, kind, status, number, created_at)
             VALUES ('p', 't1', 's', 'message', 'completed', 1, ''), ('p', 't2', 's', 'tool_results', 'failed', 2, ''),
                    ('p', 't3', 's', 'message', 'queued', NULL, ''), ('q', 't1', 's', 'message', 'completed', 1, '');
             INSERT INTO chat_messages (project_id, id, session_id, turn_id, number, place, role, content, tokens, timestamp)
             VALUES ('p', 'm1', 's', 't1', 1, 0, 'user', '', 1, ''), ('p', 'm2', 's', 't1', 1, 1, 'assistant', '', 1, ''),
                    ('p', 'm3', 's', 't2', 2, 0, 'tool', '', 1, ''), ('p', 'm4', 's', 't2', 2, 1, 'tool', '', 1, ''),
                    ('q', 'm1', 's', 't1', 1, 0, 'user', '', 1, '')",
        )
        .unwrap();
        run(&conn).unwrap();
        let asked = |project: &str, turn: &str| -> u32 {
            let sql = "SELECT asked FROM chat_turns WHERE project_id = ? AND id = ?";
            conn.query_row(sql, [project, turn], |row| row.get(0)).unwrap()
        };
        assert_eq!([asked("p", "t1"), asked("p", "t2"), asked("p", "t3"), asked("q", "t1")], [1, 2, 0, 1]);
    }

    #[test]
    fn turns_of_before_that_did_not_start_right_after_their_parent_started_apart() {
        let conn = Connection::open_in_memory().unwrap();
        for sql in &MIGRATIONS[..6] {
            conn.execute_batch(sql).unwrap();
        }
        conn.execute_batch(
            "PRAGMA user_version = 6;
             INSERT INTO chat_turns (project_id, id, session_id, kind, status, number, parent, created_at)
             VALUES ('p', 't1', 's', 'message', 'completed', 1, NULL, ''), ('p', 't2', 's', 'message', 'completed', 2, 't1', ''),
                    ('p', 't3', 's', 'message', 'completed', 3, 't1', ''), ('p', 't4', 's', 'message', 'completed', 4, NULL, ''),
                    ('p', 't5', 's', 'message', 'queued', NULL, NULL, ''), ('q', 't1', 's', 'message', 'completed', 2, NULL, '')",
        )
        .unwrap();
        run(&conn).unwrap();
        let is_apart = |(project, turn): &(&str, &str)| -> bool {
            let sql = "SELECT apart FROM chat_turns WHERE project_id = ? AND id = ?";
            conn.query_row(sql, [project, turn], |row| row.get(0)).unwrap()
        };
        let turns = [("p", "t1"), ("p", "t2"), ("p", "t3"), ("p", "t4"), ("p", "t5"), ("q", "t1")];
        assert_eq!(Vec::from_iter(turns.into_iter().filter(is_apart)), [("p", "t3"), ("p", "t4"), ("q", "t1")]);
    }
}
