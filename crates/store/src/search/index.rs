//! The index for the search: filled behind the sends, a stride at a time, and never by them. What the purge takes goes
//! out of it in the purge's own transaction.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use session::{
    id::{MessageId, ProjectId, SessionId},
    message::Role,
    search::searched,
    terms::terms,
};
use sha2::{Digest, Sha256};

use crate::{
    Store,
    error::Result,
    rows::{Columns, optional},
};

/// Text indexed in one transaction; a send may be waiting behind it.
const STRIDE_BYTES: usize = 32 << 10;
/// Pages of the index merged after a stride: a stride of that size writes some 15, and each is merged once a level.
const MERGE_PAGES: u32 = 80;

impl Store {
    /// One stride of at most `limit` messages; gives how much was looked at. Call again while that is not 0.
    pub async fn index_some(&self, limit: u32) -> Result<usize> {
        let stride = self.inner.readers.read(move |conn| Stride::read(conn, limit)).await?;
        let size = stride.messages.len() + stride.sessions.len();
        if stride.from != stride.to {
            self.inner.writer.start_verb("index", move |conn| stride.write(conn)).await?;
            self.inner.writer.start_verb("merge_index", merge).await?;
        }
        Ok(size)
    }
}

/// What a text is indexed as.
fn marked(mark: &str, text: &str) -> String {
    let mut marked = String::with_capacity(text.len() * 4);
    for term in terms(text) {
        marked.push_str(mark);
        marked.push_str(&term.text);
        marked.push(' ');
    }
    marked
}

/// Short, since it stands before every term. Two projects with the same one would only cost time: what is found is
/// looked up in its project.
pub(super) fn mark(project: &ProjectId) -> String {
    let hash = Sha256::digest(project.as_str());
    hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Rowids up to which messages and sessions have been indexed, and the count of purges at that time.
type Progress = (i64, i64, i64);

/// What comes next into the index.
struct Stride {
    from: Progress,
    to: Progress,
    /// Rowids and terms.
    messages: Vec<(i64, String)>,
    /// Rowids of the sessions that are new or may have got their title.
    sessions: BTreeSet<i64>,
}

impl Stride {
    fn read(conn: &Connection, limit: u32) -> Result<Stride> {
        let from: Progress = conn
            .prepare_cached("SELECT messages, sessions, purges FROM search_progress LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut stride = Stride { from, to: from, messages: Vec::new(), sessions: BTreeSet::new() };
        stride.read_messages(conn, limit)?;
        stride.read_sessions(conn, limit)?;
        Ok(stride)
    }

    fn read_messages(&mut self, conn: &Connection, limit: u32) -> Result<()> {
        let mut statement = conn.prepare_cached(
            "SELECT m.rowid, s.rowid, m.project_id, m.role, m.content FROM chat_messages m
             CROSS JOIN chat_sessions s ON s.project_id = m.project_id AND s.id = m.session_id
             WHERE m.rowid > ? ORDER BY m.rowid LIMIT ?",
        )?;
        let mut rows = statement.query(params![self.from.0, limit])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()?
            && bytes < STRIDE_BYTES
        {
            let mut columns = Columns::of(row);
            let (rowid, session): (i64, i64) = (columns.get()?, columns.get()?);
            let (project, role): (ProjectId, Role) = (columns.word()?, columns.word()?);
            let content: String = columns.get()?;
            // What tools give is for the model, and long.
            let content = if role == Role::Tool { "" } else { searched(&content) };
            bytes += content.len();
            self.messages.push((rowid, marked(&mark(&project), content)));
            self.sessions.insert(session);
            self.to.0 = rowid;
        }
        Ok(())
    }

    fn read_sessions(&mut self, conn: &Connection, limit: u32) -> Result<()> {
        let mut statement =
            conn.prepare_cached("SELECT rowid FROM chat_sessions WHERE rowid > ? ORDER BY rowid LIMIT ?")?;
        let mut rows = statement.query(params![self.from.1, limit])?;
        while let Some(row) = rows.next()? {
            self.to.1 = row.get(0)?;
            self.sessions.insert(self.to.1);
        }
        Ok(())
    }

    fn write(&self, conn: &Connection) -> Result<()> {
        let (from, to) = (self.from, self.to);
        let moved = conn
            .prepare_cached(
                "UPDATE search_progress SET messages = ?, sessions = ? WHERE messages = ? AND sessions = ? AND purges = ?",
            )?
            .execute(params![to.0, to.1, from.0, from.1, from.2])?;
        if moved == 0 {
            return Ok(());
        }
        let mut insert = conn.prepare_cached("INSERT INTO search_messages (rowid, terms) VALUES (?, ?)")?;
        for (rowid, terms) in self.messages.iter().filter(|(_, terms)| !terms.is_empty()) {
            insert.execute(params![rowid, terms])?;
        }
        self.sessions.iter().try_for_each(|session| index_title(conn, *session))
    }
}

/// Keeps the index in few pieces, so that a search reads few.
fn merge(conn: &Connection) -> Result<()> {
    conn.prepare_cached("INSERT INTO search_messages (search_messages, rank) VALUES ('merge', ?)")?
        .execute([MERGE_PAGES])?;
    Ok(())
}

/// A session's title after it was changed.
pub(crate) fn title_changed(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<()> {
    let rowid = conn
        .prepare_cached("SELECT rowid FROM chat_sessions WHERE project_id = ? AND id = ?")?
        .query_row([project.as_str(), session.as_str()], |row| row.get(0))?;
    index_title(conn, rowid)
}

fn index_title(conn: &Connection, session: i64) -> Result<()> {
    let (project, title): (ProjectId, Option<String>) = conn
        .prepare_cached("SELECT project_id, title FROM chat_sessions WHERE rowid = ?")?
        .query_row([session], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.word()?, columns.get()?))
        })?;
    let indexed: Option<String> = optional(
        conn.prepare_cached("SELECT title FROM search_titles WHERE rowid = ?")?.query_row([session], |row| row.get(0)),
    )?;
    if title == indexed {
        return Ok(());
    }
    if indexed.is_some() {
        conn.prepare_cached("DELETE FROM search_titles WHERE rowid = ?")?.execute([session])?;
    }
    if let Some(title) = title {
        conn.prepare_cached("INSERT INTO search_titles (rowid, terms, title) VALUES (?, ?, ?)")?.execute(params![
            session,
            marked(&mark(&project), &title),
            title
        ])?;
    }
    Ok(())
}

/// Takes a message out of the index whose words were deleted, or will be before they come into it.
pub(crate) fn message_deleted(conn: &Connection, project: &ProjectId, message: &MessageId) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM search_messages WHERE rowid IN (SELECT rowid FROM chat_messages WHERE project_id = ? AND id = ?)",
    )?
    .execute([project.as_str(), message.as_str()])?;
    step_back(conn)
}

/// Takes out of the index what the purge is about to delete of a session: its title, and its first messages.
pub(crate) fn forget(conn: &Connection, project: &str, session: &str, limit: u32) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM search_messages WHERE rowid IN
           (SELECT rowid FROM chat_messages WHERE session_id = ?2 AND project_id = ?1 LIMIT ?3)",
    )?
    .execute(params![project, session, limit])?;
    conn.prepare_cached(
        "DELETE FROM search_titles WHERE rowid IN (SELECT rowid FROM chat_sessions WHERE project_id = ? AND id = ?)",
    )?
    .execute([project, session])?;
    Ok(())
}

/// After a purge or a deletion: a stride that was read before it is not written. A rowid above all others is given again when its row is
/// gone.
pub(crate) fn step_back(conn: &Connection) -> Result<()> {
    conn.prepare_cached(
        "UPDATE search_progress SET purges = purges + 1,
           messages = min(messages, (SELECT coalesce(max(rowid), 0) FROM chat_messages)),
           sessions = min(sessions, (SELECT coalesce(max(rowid), 0) FROM chat_sessions))",
    )?
    .execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use session::{search::Query, time::Time};

    use super::*;
    use crate::{
        migrate,
        search::{hit, matching, ranked},
    };

    #[test]
    fn a_stride_that_was_read_before_a_purge_is_not_written_after_it() {
        let conn = Connection::open_in_memory().unwrap();
        migrate::run(&conn).unwrap();
        let index = || Stride::read(&conn, 10).unwrap().write(&conn).unwrap();
        add(&conn, "stays");
        index();
        add(&conn, "goes");
        let stale = Stride::read(&conn, 10).unwrap();
        forget(&conn, "p", "goes", 10).unwrap();
        conn.execute("DELETE FROM chat_messages WHERE session_id = 'goes'", []).unwrap();
        conn.execute("DELETE FROM chat_sessions WHERE project_id = 'p' AND id = 'goes'", []).unwrap();
        step_back(&conn).unwrap();
        // It gets the rowids of what went.
        add(&conn, "comes");
        stale.write(&conn).unwrap();
        index();
        assert_eq!(found(&conn, "comes"), ["message:comes", "title:comes"]);
        assert_eq!(found(&conn, "goes"), [""; 0]);
        assert_eq!(found(&conn, "stays"), ["message:stays", "title:stays"]);
    }

    #[test]
    fn a_stride_that_was_read_before_a_deletion_is_not_written_after_it() {
        let conn = Connection::open_in_memory().unwrap();
        migrate::run(&conn).unwrap();
        add(&conn, "goes");
        let stale = Stride::read(&conn, 10).unwrap();
        conn.execute("UPDATE chat_messages SET content = '' WHERE project_id = 'p' AND id = 'goes'", []).unwrap();
        message_deleted(&conn, &"p".parse().unwrap(), &"goes".parse().unwrap()).unwrap();
        stale.write(&conn).unwrap();
        Stride::read(&conn, 10).unwrap().write(&conn).unwrap();
        assert_eq!(found(&conn, "goes"), ["title:goes"]);
    }

    /// A session with a title and a message that say its name.
    fn add(conn: &Connection, name: &str) {
        conn.execute(
            "INSERT INTO chat_sessions (project_id, id, title, created_at, active_at) VALUES ('p', ?1, ?1, ?2, ?2)",
            [name, &Time::EPOCH.to_string()],
        )
        .unwrap();
        conn.execute(
            "INSERT INTO chat_messages (project_id, id, session_id, turn_id, number, place, role, content, tokens, timestamp)
             VALUES ('p', ?1, ?1, ?1, 1, 0, 'user', ?1, 1, ?2)",
            [name, &Time::EPOCH.to_string()],
        )
        .unwrap();
    }

    fn found(conn: &Connection, q: &str) -> Vec<String> {
        let (project, query) = ("p".parse().unwrap(), Query::new(q));
        let ranked = ranked(conn, &project, &matching(&project, &query), Time::EPOCH).unwrap();
        let mut found: Vec<String> = ranked.iter().map(|place| hit(conn, *place, &query).unwrap().cursor()).collect();
        found.sort();
        found
    }
}
