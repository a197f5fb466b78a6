//! Durable storage. Each verb is one whole transaction; it starts when it is called, and what it returns can be
//! dropped without tearing anything. Decisions are made by `session`; this crate makes them last.
//!
//! One file of verbs per noun. SQLite is the engine: one writer thread with group commit, a few readers.

#![warn(clippy::unwrap_used, reason = "it would end somebody's turn")]

mod checkpoint;
mod configs;
#[cfg(test)]
mod cost;
mod delete;
mod error;
mod faults;
mod fork;
mod idempotency;
mod keys;
mod lock;
mod messages;
mod migrate;
mod paths;
mod purge;
mod reader;
mod recent;
mod rows;
mod search;
mod sessions;
mod sign_in;
mod stats;
mod summary;
mod turns;
mod vault;
mod walk;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use secrecy::SecretString;

pub use crate::{
    configs::{BoundKey, ConfigAt, ConfigChange, StoredConfig},
    delete::{Said, Source},
    error::{Error, Result},
    faults::Faults,
    idempotency::Idempotency,
    keys::{ApiKey, NewKey},
    lock::LockError,
    messages::PathMessage,
    paths::PathPage,
    purge::Retention,
    search::{Hit, HitList, HitOf},
    sessions::{NewSession, Order, Page, Session, SessionChange, SessionFilter, SessionList},
    sign_in::SignIn,
    stats::Stats,
    turns::{
        Admit, Admitted, Cancelled, Edit, Fence, Finish, Finished, Found, Input, InputMessage, NextUp, Parent, Prompt,
        Segment, SessionRef, Started, StoredEvent, Takeover, Turn, TurnList, Unread,
    },
    vault::{Vault, VaultError},
    writer::Reply,
};

/// The database's file in the data directory.
pub const FILE: &str = "turnwise.db";

const READERS: usize = 2;
/// How long a statement waits for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("data directory {path}: {source}")]
    Directory { path: String, source: std::io::Error },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("database {path}: {source}")]
    Database { path: String, source: Error },
    #[error("no thread for storage: {0}")]
    Thread(std::io::Error),
}

#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: writer::Writer,
    readers: reader::Readers,
    vault: Vault,
    recent: recent::Recent,
    stats: Stats,
    dir: PathBuf,
}

/// Waits until everything sent to the store has been committed, once every [`Store`] is gone.
pub struct Closing(Vec<JoinHandle<()>>);

impl Closing {
    pub fn wait(self) {
        for thread in self.0 {
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the data directory, makes it when it is not there, and brings it up to this program's version.
    /// `vault_key` stands above the key file.
    pub fn open(
        dir: &Path,
        vault_key: Option<&SecretString>,
        faults: Faults,
    ) -> std::result::Result<(Store, Closing), OpenError> {
        make_private(dir).map_err(|source| OpenError::Directory { path: dir.display().to_string(), source })?;
        let lock = Arc::new(lock::take(&dir.join("turnwise.lock"))?);
        let vault = Vault::open(vault_key, &dir.join("secret.key"))?;
        let path = dir.join(FILE);
        let database = |source| OpenError::Database { path: path.display().to_string(), source };
        touch_private(&path).map_err(|source| OpenError::Directory { path: dir.display().to_string(), source })?;
        let conn = open_writer(&path).map_err(database)?;
        faults.at("migrate", "before_commit");
        migrate::run(&conn).map_err(database)?;
        faults.at("migrate", "after_commit");
        let beside = open_writer(&path).map_err(database)?;
        let readers: Result<Vec<Connection>> = (0..READERS).map(|_| open_reader(&path)).collect();
        let readers = readers.map_err(database)?;

        let (stats, views) = (Stats::default(), reader::Views::default());
        let (readers, mut threads) = reader::Readers::start(readers, &views).map_err(OpenError::Thread)?;
        let (checkpoints, thread) = checkpoint::Checkpoints::start(beside, &path, stats.clone(), views, lock.clone())
            .map_err(OpenError::Thread)?;
        threads.push(thread);
        let (writer, thread) =
            writer::Writer::start(conn, faults, stats.clone(), checkpoints, lock).map_err(OpenError::Thread)?;
        threads.push(thread);
        let inner =
            Arc::new(Inner { writer, readers, vault, recent: recent::Recent::default(), stats, dir: dir.to_owned() });
        Ok((Store { inner }, Closing(threads)))
    }

    pub fn stats(&self) -> &Stats {
        &self.inner.stats
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Why storage accepts no more writes, when that is so.
    pub fn closed(&self) -> Option<Error> {
        self.inner.stats.closed_because().map(|why| Error::Closed(why.to_owned()))
    }

    /// Whether storage can be read and accepts writes.
    pub fn ready(&self) -> Reply<()> {
        if let Some(closed) = self.closed() {
            return Reply::failed(closed);
        }
        self.inner.readers.read(|conn| Ok(conn.query_row("SELECT 1", [], |_| Ok(()))?))
    }
}

/// Every config of a data directory, read without changing anything there.
pub fn read_configs(dir: &Path, vault_key: Option<&SecretString>) -> Result<Vec<(session::id::ProjectId, ConfigAt)>> {
    let path = dir.join("secret.key");
    if vault_key.is_none() && !path.exists() {
        return Err(Error::Failed(format!(
            "{} is missing: the stored keys cannot be opened; restore it",
            path.display()
        )));
    }
    let vault = Vault::open(vault_key, &path).map_err(|error| Error::Failed(error.to_string()))?;
    let conn = open_reader(&dir.join(FILE))?;
    migrate::check(&conn)?;
    configs::all_configs(&conn, &vault)
}

/// Checks a data directory without changing it, as `doctor` does: the file's own consistency check.
pub fn check(dir: &Path) -> Result<Vec<String>> {
    let conn = open_reader(&dir.join(FILE))?;
    migrate::check(&conn)?;
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let lines: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
    Ok(lines?.into_iter().filter(|line| line != "ok").collect())
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// SQLite gives its files the mode of the first one, and makes that as the umask has it.
fn touch_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn open_writer(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.busy_timeout(BUSY)?;
    stable_plans(&conn)?;
    // Closing the last connection would copy the log without telling anyone whether that worked.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // FULL: with NORMAL a power cut takes back commits that were acknowledged. The cache is small because most commits walk
    // through all of it (a page that moves in its tree gets a high number for a moment, and all those above the file's end
    // are looked for); what is not in it the kernel has.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(conn)
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.busy_timeout(BUSY)?;
    stable_plans(&conn)?;
    conn.execute_batch("PRAGMA cache_size = -16384; PRAGMA query_only = ON;")?;
    Ok(conn)
}

/// Without this the planner, built to look at bound values, compiles a statement anew each time one of them changes.
fn stable_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}
