//! The one writer: a thread that takes all waiting verbs, runs them in one transaction, and answers after the commit.
//!
//! A verb starts when it is sent and does not depend on anyone waiting for it, so a request that is dropped half-way
//! tears nothing. A verb either writes all it has to or refuses before its first write; so one refusal leaves the rest
//! of the batch as it is. A verb that *fails* (no room, a broken constraint, a panic) takes the batch back, and then
//! every verb of it runs in a transaction of its own.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    checkpoint::Checkpoints,
    error::{Error, Result},
    faults::Faults,
    lock::Lock,
    stats::Stats,
};

/// Verbs in one transaction at most.
const BATCH_MAX: usize = 256;
/// Verbs waiting at most; beyond this the store says that it is overloaded.
const WAITING_MAX: usize = 8192;

/// The outcome of a verb that has been started. Dropping it does not stop the verb.
#[must_use = "the verb runs all the same, but its outcome is unknown until this is awaited"]
pub struct Reply<T>(oneshot::Receiver<Result<T>>);

impl<T> Reply<T> {
    pub(crate) fn failed(error: Error) -> Self {
        let (answer, reply) = oneshot::channel();
        let _ = answer.send(Err(error));
        Reply(reply)
    }

    pub(crate) fn new(receiver: oneshot::Receiver<Result<T>>) -> Self {
        Reply(receiver)
    }

    /// Waits from outside of async code.
    pub fn wait(self) -> Result<T> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(closed()))
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.0).poll(cx).map(|received| received.unwrap_or_else(|_| Err(closed())))
    }
}

fn closed() -> Error {
    Error::Closed("the server is shutting down".into())
}

#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

/// A verb with its way back to the caller.
trait Job: Send {
    fn name(&self) -> &'static str;
    /// Runs the verb and keeps its outcome. An error here means a fault: the transaction has to be taken back.
    fn run(&mut self, conn: &Connection) -> std::result::Result<(), Error>;
    /// Gives the kept outcome, or this fault, to the caller.
    fn answer(self: Box<Self>, fault: Option<Error>);
}

struct Verb<F, T> {
    name: &'static str,
    run: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T> + Send> Job for Verb<F, T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, conn: &Connection) -> std::result::Result<(), Error> {
        let changes = conn.total_changes();
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.run)(conn)))
            .unwrap_or_else(|_| Err(Error::Failed(format!("{} panicked", self.name))));
        if let Err(error) = &outcome {
            if error.is_fault() {
                return Err(error.clone());
            }
            if changes != conn.total_changes() {
                return Err(Error::Failed(format!("{} wrote something and then refused: {error}", self.name)));
            }
        }
        self.outcome = Some(outcome);
        Ok(())
    }

    fn answer(self: Box<Self>, fault: Option<Error>) {
        let outcome = match fault {
            Some(fault) => Err(fault),
            None => self.outcome.unwrap_or_else(|| Err(closed())),
        };
        let _ = self.reply.send(outcome);
    }
}

impl Writer {
    /// The thread ends when the last `Writer` is gone and everything sent before has been answered. It holds `lock`
    /// till then: nobody else may open the data while something of ours is still to be committed.
    pub(crate) fn start(
        mut conn: Connection,
        faults: Faults,
        stats: Stats,
        checkpoints: Checkpoints,
        lock: Arc<Lock>,
    ) -> std::io::Result<(Writer, JoinHandle<()>)> {
        checkpoints.hear(&mut conn).map_err(std::io::Error::other)?;
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || Loop { conn, faults, stats, checkpoints, _lock: lock }.run(waiting))?;
        Ok((Writer { queue }, thread))
    }

    /// Starts `run`. It may be run again when its batch failed, so it must not consume what it writes.
    pub(crate) fn start_verb<T: Send + 'static>(
        &self,
        name: &'static str,
        run: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> Reply<T> {
        let (reply, receiver) = oneshot::channel();
        match self.queue.try_send(Box::new(Verb { name, run, outcome: None, reply })) {
            Ok(()) => Reply(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => Reply::failed(Error::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Reply::failed(closed()),
        }
    }
}

struct Loop {
    conn: Connection,
    faults: Faults,
    stats: Stats,
    checkpoints: Checkpoints,
    _lock: Arc<Lock>,
}

/// Why a transaction was taken back.
enum Trouble {
    /// One of its verbs failed, or there was no room for all of them: each may still succeed by itself.
    Verb(Error),
    /// Trying again would not help any of them.
    All(Error),
}

impl Loop {
    fn run(self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            // Those whom the last commit answered may be about to send: they go first, and share this one.
            std::thread::yield_now();
            while batch.len() < BATCH_MAX
                && let Ok(job) = waiting.try_recv()
            {
                batch.push(job);
            }
            match self.transaction(&mut batch) {
                Ok(()) => batch.drain(..).for_each(|job| job.answer(None)),
                Err(Trouble::Verb(_)) if batch.len() > 1 => batch.drain(..).for_each(|job| self.alone(job)),
                Err(Trouble::Verb(fault) | Trouble::All(fault)) => {
                    batch.drain(..).for_each(|job| job.answer(Some(fault.clone())));
                }
            }
            self.checkpoints.committed(&self.conn);
        }
    }

    fn alone(&self, job: Box<dyn Job>) {
        let mut batch = [job];
        let fault = self.transaction(&mut batch).err().map(|(Trouble::Verb(fault) | Trouble::All(fault))| fault);
        let [job] = batch;
        job.answer(fault);
    }

    fn transaction(&self, batch: &mut [Box<dyn Job>]) -> std::result::Result<(), Trouble> {
        if let Some(why) = self.stats.closed_because() {
            return Err(Trouble::All(Error::Closed(why.to_owned())));
        }
        let begun = Instant::now();
        self.execute("BEGIN IMMEDIATE").map_err(|error| Trouble::All(error.into()))?;
        for job in batch.iter_mut() {
            if let Err(fault) = job.run(&self.conn) {
                self.take_back();
                return Err(Trouble::Verb(fault));
            }
        }
        batch.iter().for_each(|job| self.faults.at(job.name(), "before_commit"));
        if let Err(error) = self.execute("COMMIT") {
            return Err(self.commit_failed(error));
        }
        batch.iter().for_each(|job| self.faults.at(job.name(), "after_commit"));
        self.stats.committed(batch.len(), begun.elapsed());
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn take_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            self.stats.close(format!("a rollback failed: {error}"));
        }
    }

    /// No room is an ordinary failure. Anything else, a failed fsync above all, leaves open what is on the disk: the
    /// kernel may have dropped the pages, and a second fsync would say that all is well.
    fn commit_failed(&self, error: rusqlite::Error) -> Trouble {
        use rusqlite::ErrorCode::{DatabaseBusy, DiskFull};
        let passing = matches!(error.sqlite_error_code(), Some(DiskFull | DatabaseBusy));
        self.take_back();
        if passing {
            return Trouble::Verb(error.into());
        }
        self.stats.close(format!("a commit failed ({error}); restart the server once the disk is sound"));
        Trouble::All(Error::Unknown(error.to_string()))
    }
}
