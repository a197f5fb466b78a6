//! Forward-only migrations, run at start, each in one transaction with the note that it ran.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// In order; a file is never changed once it has been released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_core.sql"),
    include_str!("migrations/0002_search.sql"),
    include_str!("migrations/0003_titles.sql"),
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
