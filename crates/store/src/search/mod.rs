//! The search of titles and messages. `index.rs` keeps what it looks in.
//!
//! Each term stands in the index behind a mark of its project, so a search reads nothing of other projects, and its
//! cost is that of its own.

mod index;

use std::fmt::Write;

use rusqlite::{Connection, params};
use session::{
    id::{MessageId, ProjectId, SessionId, TurnId},
    message::Role,
    search::{Piece, Query, worth},
    time::Time,
};

use self::index::mark;
pub(crate) use self::index::{forget, message_deleted, step_back, title_changed};

use crate::{
    Store,
    error::{Error, Result},
    rows::{Columns, optional},
    sessions::Page,
    writer::Reply,
};

/// Where more is found, the best of the newest are given: each one looked at takes time.
const MESSAGES_MAX: u32 = 1000;
const TITLES_MAX: u32 = 200;
#[derive(Debug, Clone)]
pub struct Hit {
    pub of: HitOf,
    pub session: SessionId,
    pub title: Option<String>,
    /// Of the message, or of the title.
    pub snippet: Vec<Piece>,
    /// The message's, or the session's last activity.
    pub timestamp: Time,
}

#[derive(Debug, Clone)]
pub enum HitOf {
    Message { id: MessageId, turn: TurnId, role: Role },
    Title,
}

#[derive(Debug, Clone)]
pub struct HitList {
    pub hits: Vec<Hit>,
    pub has_more: bool,
}

impl Hit {
    /// What names it in its list.
    pub fn cursor(&self) -> String {
        match &self.of {
            HitOf::Message { id, .. } => format!("{MESSAGE}{id}"),
            HitOf::Title => format!("{TITLE}{}", self.session),
        }
    }
}

/// How the cursors of the two kinds of hits begin.
const MESSAGE: &str = "message:";
const TITLE: &str = "title:";

impl Store {
    /// The best hits first. Of the page, `limit` and `after` count.
    pub fn search(&self, project: ProjectId, q: String, page: Page, now: Time) -> Reply<HitList> {
        self.inner.readers.read(move |conn| {
            let query = Query::new(&q);
            if query.phrases.is_empty() {
                return Ok(HitList { hits: Vec::new(), has_more: false });
            }
            let ranked = ranked(conn, &project, &matching(&project, &query), now)?;
            let from = match &page.after {
                None => 0,
                Some(cursor) => {
                    let place = place(conn, &project, cursor)?;
                    1 + ranked.iter().position(|found| *found == place).ok_or(Error::BadCursor("after"))?
                }
            };
            let rest = &ranked[from..];
            let shown = &rest[..rest.len().min(page.limit as usize)];
            let hits: Result<_> = shown.iter().map(|place| hit(conn, *place, &query)).collect();
            Ok(HitList { hits: hits?, has_more: shown.len() < rest.len() })
        })
    }
}

/// A rowid of one of the two indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Message(i64),
    Title(i64),
}

fn ranked(conn: &Connection, project: &ProjectId, matching: &str, now: Time) -> Result<Vec<Place>> {
    let mut found: Vec<(f64, Time, Place)> = Vec::new();
    for (sql, max, place) in [
        (
            "SELECT f.rowid, bm25(search_messages), m.timestamp FROM search_messages f
             CROSS JOIN chat_messages m ON m.rowid = f.rowid
             CROSS JOIN chat_sessions s ON s.project_id = m.project_id AND s.id = m.session_id
             WHERE f.search_messages MATCH ? AND m.project_id = ? AND s.deleted_at IS NULL
             ORDER BY f.rowid DESC LIMIT ?",
            MESSAGES_MAX,
            Place::Message as fn(i64) -> Place,
        ),
        (
            "SELECT f.rowid, bm25(search_titles), s.active_at FROM search_titles f
             CROSS JOIN chat_sessions s ON s.rowid = f.rowid
             WHERE f.search_titles MATCH ? AND s.project_id = ? AND s.deleted_at IS NULL
             ORDER BY f.rowid DESC LIMIT ?",
            TITLES_MAX,
            Place::Title,
        ),
    ] {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![matching, project.as_str(), max])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let (rowid, bm25, at): (i64, f64, Time) = (columns.get()?, columns.get()?, columns.word()?);
            // FTS5 gives the best the least.
            found.push((worth(-bm25, at, now), at, place(rowid)));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    Ok(found.into_iter().map(|(_, _, place)| place).collect())
}

fn place(conn: &Connection, project: &ProjectId, cursor: &str) -> Result<Place> {
    let (sql, id, place) = if let Some(id) = cursor.strip_prefix(MESSAGE) {
        let sql = "SELECT rowid FROM chat_messages WHERE project_id = ? AND id = ?";
        (sql, id, Place::Message as fn(i64) -> Place)
    } else if let Some(id) = cursor.strip_prefix(TITLE) {
        ("SELECT rowid FROM chat_sessions WHERE project_id = ? AND id = ?", id, Place::Title as fn(i64) -> Place)
    } else {
        return Err(Error::BadCursor("after"));
    };
    let found = conn.prepare_cached(sql)?.query_row([project.as_str(), id], |row| row.get(0));
    optional(found)?.map(place).ok_or(Error::BadCursor("after"))
}

fn hit(conn: &Connection, place: Place, query: &Query) -> Result<Hit> {
    let found = match place {
        Place::Message(rowid) => conn
            .prepare_cached(
                "SELECT s.id, s.title, m.id, m.turn_id, m.role, m.content, m.timestamp FROM chat_messages m
                 CROSS JOIN chat_sessions s ON s.project_id = m.project_id AND s.id = m.session_id
                 WHERE m.rowid = ?",
            )?
            .query_row([rowid], |row| {
                let mut columns = Columns::of(row);
                let (session, title) = (columns.word()?, columns.get()?);
                let of = HitOf::Message { id: columns.word()?, turn: columns.word()?, role: columns.word()? };
                let content: String = columns.get()?;
                Ok(Hit { of, session, title, snippet: query.snippet(&content), timestamp: columns.word()? })
            }),
        Place::Title(rowid) => conn
            .prepare_cached("SELECT id, title, active_at FROM chat_sessions WHERE rowid = ?")?
            .query_row([rowid], |row| {
                let mut columns = Columns::of(row);
                let (session, title): (_, Option<String>) = (columns.word()?, columns.get()?);
                let snippet = query.snippet(title.as_deref().unwrap_or_default());
                Ok(Hit { of: HitOf::Title, session, title, snippet, timestamp: columns.word()? })
            }),
    };
    Ok(found?)
}

/// The query in FTS5's language: only terms, which hold letters and digits alone, get into its quotes.
fn matching(project: &ProjectId, query: &Query) -> String {
    let mark = mark(project);
    let mut matching = String::new();
    for phrase in &query.phrases {
        let and = if matching.is_empty() { "" } else { " AND " };
        let terms: Vec<String> = phrase.terms.iter().map(|term| format!("{mark}{term}")).collect();
        let star = if phrase.prefix { " *" } else { "" };
        let _ = write!(matching, "{and}\"{}\"{star}", terms.join(" "));
    }
    matching
}
