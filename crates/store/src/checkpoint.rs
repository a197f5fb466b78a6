//! Moves what the write-ahead log has gathered into the database's file: beside the writer, not in its way.
//!
//! 1. After each commit SQLite says how long the log has become.
//! 2. A thread with a connection of its own copies when the log has grown by [`PASS_PAGES`], or when nobody has written
//!    for a moment. A log that has been copied whole is begun anew by the next commit.
//! 3. Beside a busy writer the copy never quite catches up. When the log is longer than [`LOG_PAGES`] after a pass, the
//!    writer copies the short rest itself, between two commits, unless somebody reads. At [`LOG_PAGES_MAX`] nobody of
//!    ours reads until it has.
//!
//! SQLite's own checkpoint after a commit is off: it would stall that commit, and hide a failed fsync.

use std::{
    cell::Cell,
    fs::File,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, hooks::Wal};

use crate::{lock::Lock, reader::Views, stats::Stats};

/// Pages (of 4 KiB) between two passes.
const PASS_PAGES: u64 = 4000;
/// A longer log is brought to its end.
const LOG_PAGES: u64 = 8000;
/// A log this long holds up the writer: the disk cannot keep up.
const LOG_PAGES_MAX: u64 = 16_000;
/// Nobody writes, when nothing has been committed for this long.
const IDLE: Duration = Duration::from_millis(200);
/// How long the writer waits for readers to leave a log that is to begin anew.
const READERS: Duration = Duration::from_millis(8);

/// The writer's end. The thread goes with it.
pub(crate) struct Checkpoints {
    shared: Arc<Shared>,
    stats: Stats,
    views: Views,
    /// The log's length when it held up the writer last.
    held_up_at: Cell<u64>,
}

#[derive(Default)]
struct Shared {
    /// The log's pages after the writer's last commit.
    heard: AtomicU64,
    state: Mutex<State>,
    wake: Condvar,
    /// A pass has ended.
    passed: Condvar,
    /// The writer is to copy the rest.
    finish: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The log's pages, and how many of them a pass has dealt with.
    log: u64,
    tried: u64,
    commits: u64,
    passing: bool,
    over: bool,
}

struct Thread {
    conn: Connection,
    /// SQLite syncs this file only at the end of a log. To have the writer find little to sync then, each pass does so
    /// too. Closing it lets go of every lock that this process has on the file, so it lives as long as the thread.
    file: File,
    shared: Arc<Shared>,
    stats: Stats,
    _lock: Arc<Lock>,
}

impl Checkpoints {
    pub(crate) fn start(
        conn: Connection,
        path: &Path,
        stats: Stats,
        views: Views,
        lock: Arc<Lock>,
    ) -> std::io::Result<(Checkpoints, JoinHandle<()>)> {
        let shared = Arc::<Shared>::default();
        let file = File::open(path)?;
        let thread = Thread { conn, file, shared: shared.clone(), stats: stats.clone(), _lock: lock };
        let thread = std::thread::Builder::new().name("store-checkpoint".into()).spawn(move || thread.run())?;
        Ok((Checkpoints { shared, stats, views, held_up_at: Cell::new(0) }, thread))
    }

    /// The writer's connection tells the log's length from now on. (A statement that asks is parsed anew each time.)
    pub(crate) fn hear(&self, writer: &mut Connection) -> rusqlite::Result<()> {
        let shared = self.shared.clone();
        writer.wal_hook(Some(move |_: &mut Wal, pages: i32| {
            shared.heard.store(pages.unsigned_abs().into(), Relaxed);
            Ok(())
        }))
    }

    /// To be called by the writer between two transactions.
    pub(crate) fn committed(&self, conn: &Connection) {
        if self.shared.finish.swap(false, Relaxed) {
            self.finish(conn);
        }
        let log = self.shared.heard.load(Relaxed);
        self.stats.wal_is(log);
        self.hold_up(conn, log);
        let mut state = self.shared.lock();
        let was_clean = state.tried >= state.log;
        if log < state.log {
            state.tried = 0;
        }
        state.log = log;
        state.commits += 1;
        if was_clean || state.is_due() {
            self.shared.wake.notify_one();
        }
    }

    /// Not again before the log has grown: somebody else's long read may be what keeps it from being copied.
    fn hold_up(&self, conn: &Connection, log: u64) {
        if log < LOG_PAGES_MAX {
            self.held_up_at.set(0);
        } else if log >= self.held_up_at.get() + PASS_PAGES {
            let _nobody_reads = self.views.none();
            let _no_pass = self.shared.passed.wait_while(self.shared.lock(), |state| state.passing);
            self.finish(conn);
            self.held_up_at.set(log);
        }
    }

    fn finish(&self, conn: &Connection) {
        let outcome = conn.busy_timeout(READERS).and_then(|()| run(conn, "PRAGMA wal_checkpoint(RESTART)"));
        check(outcome.and(conn.busy_timeout(crate::BUSY)), &self.stats);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self) -> bool {
        self.log.saturating_sub(self.tried) >= PASS_PAGES
    }
}

impl Thread {
    fn run(self) {
        while self.wait() {
            if !self.stats.is_closed() {
                check(self.pass(), &self.stats);
            }
            self.shared.lock().passing = false;
            self.shared.passed.notify_one();
        }
        // Once a sync has failed the log is the only truth; the next start reads it again.
        if !self.stats.is_closed()
            && let Err(error) = run(&self.conn, "PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%error, "the log was not moved into the database at the end; the next start will do it");
        }
    }

    /// Until there is something to copy; false when the store closes.
    fn wait(&self) -> bool {
        let mut state = self.shared.lock();
        loop {
            if state.over || state.is_due() {
                state.passing = !state.over;
                return state.passing;
            }
            if state.tried >= state.log {
                state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let commits = state.commits;
            let (woken, timeout) = self.shared.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && state.commits == commits {
                state.passing = !state.over;
                return state.passing;
            }
        }
    }

    fn pass(&self) -> rusqlite::Result<()> {
        // Whatever comes of it, the next pass is due when the log has grown again.
        let begun_at = self.shared.lock().log;
        let outcome = run(&self.conn, "PRAGMA wal_checkpoint(PASSIVE)");
        let mut state = self.shared.lock();
        state.tried = state.tried.max(begun_at.min(state.log));
        drop(state);
        let log = outcome?;
        self.file.sync_data().map_err(|error| broken(&error))?;
        if log >= LOG_PAGES {
            self.shared.finish.store(true, Relaxed);
        }
        Ok(())
    }
}

/// Gives the log's length in pages.
fn run(conn: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    // -1 when another checkpoint was at work.
    conn.prepare_cached(pragma)?.query_row([], |row| row.get(1).map(|log: i64| u64::try_from(log).unwrap_or(0)))
}

/// No room and somebody in the way are passing; the log keeps everything. After a failed sync the kernel may have
/// dropped what it could not write, and nothing is to be acknowledged any more.
fn check<T>(outcome: rusqlite::Result<T>, stats: &Stats) {
    let Err(error) = outcome else { return };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            tracing::warn!(%error, "a checkpoint has to wait");
        }
        _ => stats.close(format!("a checkpoint failed ({error}); restart the server once the disk is sound")),
    }
}

fn broken(error: &std::io::Error) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
}
