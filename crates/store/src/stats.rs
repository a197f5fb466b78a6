//! What the store counts about itself, for metrics, and whether it still accepts writes.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

#[derive(Debug, Clone, Default)]
pub struct Stats(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    verbs: AtomicU64,
    commit_micros: AtomicU64,
    wal_pages: AtomicU64,
    closed: OnceLock<String>,
}

impl Stats {
    pub(crate) fn committed(&self, verbs: usize, took: Duration) {
        self.0.commits.fetch_add(1, Relaxed);
        self.0.verbs.fetch_add(verbs as u64, Relaxed);
        self.0.commit_micros.fetch_add(took.as_micros() as u64, Relaxed);
    }

    pub(crate) fn wal_is(&self, pages: u64) {
        self.0.wal_pages.store(pages, Relaxed);
    }

    /// From now on nothing is acknowledged.
    pub(crate) fn close(&self, why: String) {
        tracing::error!(why, "storage accepts no more writes");
        let _ = self.0.closed.set(why);
    }

    pub(crate) fn closed_because(&self) -> Option<&str> {
        self.0.closed.get().map(String::as_str)
    }

    /// Transactions.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Relaxed)
    }

    /// Verbs in those transactions; more than one a transaction is group commit at work.
    pub fn verbs(&self) -> u64 {
        self.0.verbs.load(Relaxed)
    }

    /// Time spent in transactions, in seconds.
    pub fn commit_seconds(&self) -> f64 {
        self.0.commit_micros.load(Relaxed) as f64 / 1e6
    }

    /// Length of the write-ahead log after the last commit, in pages.
    pub fn wal_pages(&self) -> u64 {
        self.0.wal_pages.load(Relaxed)
    }

    /// The store has stopped accepting writes.
    pub fn is_closed(&self) -> bool {
        self.closed_because().is_some()
    }
}
