//! Titles that a model makes: asked for once, by the end of a turn, and stored unless somebody was quicker.

use rusqlite::{Connection, params};
use session::id::{ConfigId, ProjectId, SessionId};

use crate::{
    Store,
    configs::{self, ConfigAt},
    error::Result,
    rows::{optional, optional_word},
    search,
    writer::Reply,
};

impl Store {
    /// The project's config for titles; without one, or when it has gone, `own` in its current revision.
    pub fn title_config(&self, project: ProjectId, own: ConfigId) -> Reply<Option<ConfigAt>> {
        let vault = self.inner.vault.clone();
        self.inner.readers.read(move |conn| {
            let named = conn
                .prepare_cached("SELECT titles_config_id FROM projects WHERE id = ?")?
                .query_row([project.as_str()], |row| optional_word(row, "titles_config_id"));
            let id = optional(named)?.flatten().unwrap_or(own);
            Ok(configs::config_at(conn, &vault, &project, &id, None)?.filter(|config| !config.deleted))
        })
    }

    /// Stores the title that a model made. False when it is no longer wanted: the session was named, or is gone.
    pub fn title_made(&self, project: ProjectId, session: SessionId, title: String) -> Reply<bool> {
        self.inner.writer.start_verb("title_made", move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE chat_sessions SET title = ?, title_from = 'model'
                     WHERE project_id = ? AND id = ? AND title_from = 'asked' AND auto_title = 'model'
                         AND deleted_at IS NULL",
                )?
                .execute([title.as_str(), project.as_str(), session.as_str()])?;
            if changed == 1 {
                search::title_changed(conn, &project, &session)?;
            }
            Ok(changed == 1)
        })
    }
}

/// From now on a model is asked, and nobody asks again.
pub(crate) fn ask(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<()> {
    conn.prepare_cached("UPDATE chat_sessions SET title_from = 'asked' WHERE project_id = ? AND id = ?")?
        .execute(params![project.as_str(), session.as_str()])?;
    Ok(())
}
