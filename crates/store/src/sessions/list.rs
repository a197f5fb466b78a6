//! Lists of sessions, a page at a time.

use rusqlite::{Connection, types::Value};
use session::id::{ProjectId, SessionId};

use super::{SELECT, Session};
use crate::{
    Store,
    error::{Error, Result},
    rows::optional,
    writer::Reply,
};

#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Part of the title.
    pub q: Option<String>,
    pub archived: Option<bool>,
    pub pinned: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Asc,
    Desc,
}

/// Which stretch of a list is wanted. Cursors are ids of the list's own entries.
#[derive(Debug, Clone)]
pub struct Page {
    pub limit: u32,
    pub after: Option<String>,
    pub before: Option<String>,
    pub order: Order,
}

#[derive(Debug, Clone)]
pub struct SessionList {
    pub sessions: Vec<Session>,
    pub has_more: bool,
}

impl Store {
    /// Newest activity first, unless asked otherwise.
    pub fn sessions(&self, project: ProjectId, filter: SessionFilter, page: Page) -> Reply<SessionList> {
        self.inner.readers.read(move |conn| list(conn, &project, &filter, &page))
    }
}

fn list(conn: &Connection, project: &ProjectId, filter: &SessionFilter, page: &Page) -> Result<SessionList> {
    let mut sql = format!("{SELECT} WHERE s.project_id = ? AND s.deleted_at IS NULL");
    let mut values: Vec<Value> = vec![project.as_str().to_owned().into()];
    if let Some(q) = &filter.q {
        sql.push_str(" AND s.title LIKE ? ESCAPE '\\'");
        values.push(format!("%{}%", q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")).into());
    }
    for (column, wanted) in [("archived", filter.archived), ("pinned", filter.pinned)] {
        if let Some(wanted) = wanted {
            // Written out, so that the index of the few that are pinned or archived is found.
            sql.push_str(&format!(" AND s.{column} = {}", u8::from(wanted)));
        }
    }
    // `after` goes on in the list's order, `before` comes back to where it was.
    let descending = page.order == Order::Desc;
    for (name, cursor, onwards) in [("after", &page.after, true), ("before", &page.before, false)] {
        if let Some(cursor) = cursor {
            let id: SessionId = cursor.parse().map_err(|_| Error::BadCursor(name))?;
            let at: Option<String> = optional(
                conn.prepare_cached("SELECT active_at FROM chat_sessions WHERE project_id = ? AND id = ?")?
                    .query_row([project.as_str(), id.as_str()], |row| row.get(0)),
            )?;
            let less = descending == onwards;
            sql.push_str(&format!(" AND (s.active_at, s.id) {} (?, ?)", if less { "<" } else { ">" }));
            values.push(at.ok_or(Error::BadCursor(name))?.into());
            values.push(id.as_str().to_owned().into());
        }
    }
    let backwards = page.before.is_some() && page.after.is_none();
    let direction = if descending != backwards { "DESC" } else { "ASC" };
    sql.push_str(&format!(" ORDER BY s.active_at {direction}, s.id {direction} LIMIT ?"));
    values.push((i64::from(page.limit) + 1).into());
    let mut statement = conn.prepare_cached(&sql)?;
    let found: rusqlite::Result<Vec<Session>> =
        statement.query_map(rusqlite::params_from_iter(values), Session::from_row)?.collect();
    let mut sessions = found?;
    let has_more = sessions.len() > page.limit as usize;
    sessions.truncate(page.limit as usize);
    if backwards {
        sessions.reverse();
    }
    Ok(SessionList { sessions, has_more })
}
