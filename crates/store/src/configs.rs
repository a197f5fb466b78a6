//! Configs and their revisions. A change makes a new revision; turns keep the one they started with.

use rusqlite::{Connection, Row, params};
use secrecy::SecretString;
use session::{
    config::Config,
    id::{ConfigId, ProjectId},
    time::Time,
};

use crate::{
    Store,
    error::{Error, Result},
    idempotency::{self, Idempotency},
    keys::ensure_project,
    rows::{Columns, json, optional, optional_json, optional_word, time},
    vault::{Place, Vault},
    writer::Reply,
};

#[derive(Debug, Clone)]
pub struct StoredConfig {
    pub id: ConfigId,
    pub revision: u32,
    pub config: Config,
    /// A key of its own is stored for the config's upstream.
    pub has_key: bool,
    pub is_default: bool,
    /// It makes the project's titles.
    pub makes_titles: bool,
    pub created_at: Time,
    pub updated_at: Time,
}

/// What a change of a config brings: the whole new revision, and what becomes of its key.
#[derive(Debug, Clone)]
pub struct ConfigChange {
    pub config: Config,
    /// Where a key may be sent. A stored key for another origin is dropped.
    pub origin: Option<String>,
    /// `None` leaves a key for the same origin as it is; `Some(None)` drops it.
    pub key: Option<Option<SecretString>>,
    pub make_default: bool,
    /// Whether it is to make the project's titles; `None` leaves that as it is.
    pub titles: Option<bool>,
}

/// A revision of a config with the key to call its upstream.
#[derive(Debug, Clone)]
pub struct ConfigAt {
    pub id: ConfigId,
    pub revision: u32,
    pub config: Config,
    pub key: Option<BoundKey>,
    /// A key is stored, and the vault's key does not open it.
    pub key_lost: bool,
    pub deleted: bool,
}

/// A key and the one origin that it may be sent to. A revision may name another origin than the key has.
#[derive(Debug, Clone)]
pub struct BoundKey {
    pub secret: SecretString,
    pub origin: String,
}

const SELECT: &str = "SELECT c.id, c.revision, r.body, c.sealed_key IS NOT NULL AS has_key, c.created_at, c.updated_at,
        c.id IS p.default_config_id AS is_default, c.id IS p.titles_config_id AS makes_titles
    FROM chat_configs c
    JOIN chat_config_revisions r ON r.project_id = c.project_id AND r.config_id = c.id AND r.revision = c.revision
    JOIN projects p ON p.id = c.project_id
    WHERE c.project_id = ? AND c.deleted_at IS NULL";

impl StoredConfig {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredConfig> {
        Ok(StoredConfig {
            id: crate::rows::word(row, "id")?,
            revision: row.get("revision")?,
            config: optional_json(row, "body")?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            has_key: row.get("has_key")?,
            is_default: row.get("is_default")?,
            makes_titles: row.get("makes_titles")?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
        })
    }
}

impl Store {
    /// Gives back the id: the earlier one when the same request came before.
    pub fn create_config(
        &self,
        project: ProjectId,
        id: ConfigId,
        new: ConfigChange,
        key: Option<Idempotency>,
        now: Time,
    ) -> Reply<ConfigId> {
        let vault = self.inner.vault.clone();
        self.inner.writer.start_verb("create_config", move |conn| {
            if let Some(made) = idempotency::made_before(conn, &project, key.as_ref())? {
                return made.parse().map_err(|_| Error::Failed("a stored id is damaged".into()));
            }
            if current(conn, &project, &id)?.is_some_and(|(_, deleted)| !deleted) {
                return Err(Error::Taken);
            }
            ensure_project(conn, &project, now)?;
            let revision = last_revision(conn, &project, &id)? + 1;
            write(conn, &vault, &Revision { project: &project, id: &id, revision, now }, &new)?;
            conn.prepare_cached(
                "UPDATE projects SET default_config_id = ? WHERE id = ? AND default_config_id IS NULL",
            )?
            .execute(params![id.as_str(), project.as_str()])?;
            idempotency::remember(conn, &project, key.as_ref(), id.as_str(), now)?;
            Ok(id.clone())
        })
    }

    /// Makes a new revision, from the one that was read: another change in between is refused as `Taken`.
    pub fn change_config(
        &self,
        project: ProjectId,
        id: ConfigId,
        from: u32,
        new: ConfigChange,
        now: Time,
    ) -> Reply<()> {
        let vault = self.inner.vault.clone();
        self.inner.writer.start_verb("change_config", move |conn| {
            let revision = match current(conn, &project, &id)? {
                Some((revision, false)) => revision,
                _ => return Err(Error::ConfigNotFound),
            };
            if revision != from {
                return Err(Error::Taken);
            }
            let revision = revision + 1;
            write(conn, &vault, &Revision { project: &project, id: &id, revision, now }, &new)
        })
    }

    /// The config serves no new sends, and its key is gone at once. Its revisions stay, for the prompts made with them.
    pub fn delete_config(&self, project: ProjectId, id: ConfigId, now: Time) -> Reply<()> {
        self.inner.writer.start_verb("delete_config", move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE chat_configs SET deleted_at = ?, sealed_key = NULL, key_origin = NULL
                     WHERE project_id = ? AND id = ? AND deleted_at IS NULL",
                )?
                .execute(params![now.to_string(), project.as_str(), id.as_str()])?;
            if changed == 0 {
                return Err(Error::ConfigNotFound);
            }
            conn.prepare_cached(
                "UPDATE projects SET default_config_id =
                   (SELECT id FROM chat_configs WHERE project_id = ?1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT 1)
                 WHERE id = ?1 AND default_config_id = ?2",
            )?
            .execute(params![project.as_str(), id.as_str()])?;
            make_titles(conn, &project, &id, false)
        })
    }

    pub fn configs(&self, project: ProjectId) -> Reply<Vec<StoredConfig>> {
        self.inner.readers.read(move |conn| {
            let mut statement = conn.prepare_cached(&format!("{SELECT} ORDER BY c.created_at, c.id"))?;
            let found: rusqlite::Result<_> = statement.query_map([project.as_str()], StoredConfig::from_row)?.collect();
            Ok(found?)
        })
    }

    pub fn config(&self, project: ProjectId, id: ConfigId) -> Reply<Option<StoredConfig>> {
        self.inner.readers.read(move |conn| {
            let mut statement = conn.prepare_cached(&format!("{SELECT} AND c.id = ?"))?;
            optional(statement.query_row([project.as_str(), id.as_str()], StoredConfig::from_row))
        })
    }

    /// Every project's configs, each in its current revision.
    pub fn all_configs(&self) -> Reply<Vec<(ProjectId, ConfigAt)>> {
        let vault = self.inner.vault.clone();
        self.inner.readers.read(move |conn| all_configs(conn, &vault))
    }

    /// The current revision, or the one named, with its key.
    pub fn config_at(&self, project: ProjectId, id: ConfigId, revision: Option<u32>) -> Reply<Option<ConfigAt>> {
        let vault = self.inner.vault.clone();
        self.inner.readers.read(move |conn| config_at(conn, &vault, &project, &id, revision))
    }
}

pub(crate) fn all_configs(conn: &Connection, vault: &Vault) -> Result<Vec<(ProjectId, ConfigAt)>> {
    let mut statement = conn.prepare_cached(
        "SELECT project_id, id FROM chat_configs WHERE deleted_at IS NULL ORDER BY project_id, created_at, id",
    )?;
    let named: rusqlite::Result<Vec<(ProjectId, ConfigId)>> = statement
        .query_map([], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.word()?, columns.word()?))
        })?
        .collect();
    let mut configs = Vec::new();
    for (project, id) in named? {
        if let Some(config) = config_at(conn, vault, &project, &id, None)? {
            configs.push((project, config));
        }
    }
    Ok(configs)
}

pub(crate) fn config_at(
    conn: &Connection,
    vault: &Vault,
    project: &ProjectId,
    id: &ConfigId,
    revision: Option<u32>,
) -> Result<Option<ConfigAt>> {
    let mut statement = conn.prepare_cached(
        "SELECT r.revision, r.body, c.sealed_key, c.key_origin, c.deleted_at IS NOT NULL AS deleted
         FROM chat_configs c
         JOIN chat_config_revisions r ON r.project_id = c.project_id AND r.config_id = c.id
             AND r.revision = coalesce(?3, c.revision)
         WHERE c.project_id = ?1 AND c.id = ?2",
    )?;
    let found = statement.query_row(params![project.as_str(), id.as_str(), revision], |row| {
        let mut columns = Columns::of(row);
        let revision = columns.get()?;
        let config: Option<Config> = columns.json()?;
        let (sealed, origin): (Option<Vec<u8>>, Option<String>) = (columns.get()?, columns.get()?);
        let stored = sealed.is_some();
        let key = sealed.zip(origin).and_then(|(sealed, origin)| {
            let secret = vault.unseal(&sealed, &Place { project, config: id, origin: &origin })?;
            Some(BoundKey { secret, origin })
        });
        Ok(ConfigAt {
            id: id.clone(),
            revision,
            config: config.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            key_lost: stored && key.is_none(),
            key,
            deleted: columns.get()?,
        })
    });
    optional(found)
}

/// The default config of a project, if it has one.
pub(crate) fn default(conn: &Connection, project: &ProjectId) -> Result<Option<ConfigId>> {
    let found = conn
        .prepare_cached("SELECT default_config_id FROM projects WHERE id = ?")?
        .query_row([project.as_str()], |row| optional_word(row, "default_config_id"));
    Ok(optional(found)?.flatten())
}

/// The config's current revision, and whether it has been deleted.
fn current(conn: &Connection, project: &ProjectId, id: &ConfigId) -> Result<Option<(u32, bool)>> {
    let mut statement = conn
        .prepare_cached("SELECT revision, deleted_at IS NOT NULL FROM chat_configs WHERE project_id = ? AND id = ?")?;
    optional(statement.query_row([project.as_str(), id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))))
}

fn last_revision(conn: &Connection, project: &ProjectId, id: &ConfigId) -> Result<u32> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(max(revision), 0) FROM chat_config_revisions WHERE project_id = ? AND config_id = ?",
    )?;
    Ok(statement.query_row([project.as_str(), id.as_str()], |row| row.get(0))?)
}

/// A revision about to be made.
struct Revision<'a> {
    project: &'a ProjectId,
    id: &'a ConfigId,
    revision: u32,
    now: Time,
}

fn write(conn: &Connection, vault: &Vault, new: &Revision<'_>, change: &ConfigChange) -> Result<()> {
    let Revision { project, id, revision, now } = new;
    conn.prepare_cached(
        "INSERT INTO chat_config_revisions (project_id, config_id, revision, body, created_at)
         VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![project.as_str(), id.as_str(), revision, json(&change.config)?, now.to_string()])?;
    conn.prepare_cached(
        "INSERT INTO chat_configs (project_id, id, revision, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT DO UPDATE SET revision = ?3, updated_at = ?4, deleted_at = NULL",
    )?
    .execute(params![project.as_str(), id.as_str(), revision, now.to_string()])?;
    let origin = change.origin.as_deref();
    match (&change.key, origin) {
        (Some(Some(key)), Some(origin)) => {
            let sealed = vault.seal(key, &Place { project, config: id, origin });
            conn.prepare_cached(
                "UPDATE chat_configs SET sealed_key = ?, key_origin = ? WHERE project_id = ? AND id = ?",
            )?
            .execute(params![sealed, origin, project.as_str(), id.as_str()])?;
        }
        // A key stays only where its origin does: whoever may change a base URL may not send the key elsewhere.
        (kept, _) => {
            let keep = kept.is_none();
            conn.prepare_cached(
                "UPDATE chat_configs SET sealed_key = NULL, key_origin = NULL
                 WHERE project_id = ? AND id = ? AND NOT (? AND key_origin IS ?)",
            )?
            .execute(params![project.as_str(), id.as_str(), keep, origin])?;
        }
    }
    if change.make_default {
        conn.prepare_cached("UPDATE projects SET default_config_id = ? WHERE id = ?")?
            .execute(params![id.as_str(), project.as_str()])?;
    }
    match change.titles {
        Some(titles) => make_titles(conn, project, id, titles),
        None => Ok(()),
    }
}

/// At most one config makes a project's titles.
fn make_titles(conn: &Connection, project: &ProjectId, id: &ConfigId, titles: bool) -> Result<()> {
    conn.prepare_cached("UPDATE projects SET titles_config_id = ? WHERE id = ? AND (? OR titles_config_id = ?)")?
        .execute(params![titles.then_some(id.as_str()), project.as_str(), titles, id.as_str()])?;
    Ok(())
}
