//! A few threads that read, each with a read-only connection of its own and a consistent view per request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard},
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

/// Held by each read while its view lasts. A view keeps the log from beginning anew, and readers that overlap would keep
/// it for ever: the writer may ask them to let it in between.
#[derive(Clone, Default)]
pub(crate) struct Views(Arc<RwLock<()>>);

impl Views {
    /// Nobody reads until the guard is dropped.
    pub fn none(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
pub(crate) struct Readers {
    queue: mpsc::Sender<Job>,
}

impl Readers {
    pub(crate) fn start(
        connections: Vec<Connection>,
        views: &Views,
    ) -> std::io::Result<(Readers, Vec<JoinHandle<()>>)> {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |conn| {
            let (waiting, views) = (waiting.clone(), views.clone());
            std::thread::Builder::new().name("store-reader".into()).spawn(move || serve(&conn, &views, &waiting))
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

fn serve(conn: &Connection, views: &Views, waiting: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        let _view = views.0.read().unwrap_or_else(PoisonError::into_inner);
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
