//! A few threads that read, each with a read-only connection of its own and a consistent view per request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{
    error::{Error, Result},
    writer::Reply,
};

const WAITING_MAX: usize = 8192;

type Job = Box<dyn FnOnce(&Connection) + Send>;

#[derive(Clone)]
pub(crate) struct Readers {
    queue: mpsc::Sender<Job>,
}

impl Readers {
    pub(crate) fn start(connections: Vec<Connection>) -> std::io::Result<(Readers, Vec<JoinHandle<()>>)> {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |conn| {
            let waiting = waiting.clone();
            std::thread::Builder::new().name("store-reader".into()).spawn(move || serve(&conn, &waiting))
        };
        let threads = connections.into_iter().map(start).collect::<std::io::Result<_>>()?;
        Ok((Readers { queue }, threads))
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Reply<T> {
        let (answer, receiver) = oneshot::channel();
        let job = Box::new(move |conn: &Connection| {
            let _ = answer.send(in_one_view(conn, read));
        });
        match self.queue.try_send(job) {
            Ok(()) => Reply::new(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => Reply::failed(Error::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Reply::failed(Error::Closed("shutting down".into())),
        }
    }
}

fn serve(conn: &Connection, waiting: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        job(conn);
    }
}

/// Several statements see the same moment.
fn in_one_view<T>(conn: &Connection, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    // A reader that panics would leave one less for everybody.
    let outcome = catch_unwind(AssertUnwindSafe(|| read(conn)));
    if !conn.is_autocommit() {
        conn.prepare_cached("ROLLBACK")?.execute([])?;
    }
    outcome.unwrap_or_else(|_| Err(Error::Failed("a read panicked".into())))
}
