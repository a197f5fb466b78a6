//! Connections that rest between calls.
//!
//! 1. A reply that came to its end hands its connection in (`keep`); one that was dropped or failed does not.
//! 2. A small task holds it, and lets go when the upstream closes it, when it has rested long enough, or with the pool.
//! 3. A call asks for it (`take`): the last one kept comes first, so that the others may grow old.
//! 4. When as many rest as may, the one that has rested longest makes room.
//!
//! A connection can still be closed from the other side while a request is on its way. That call sends its request
//! again on a new connection, once, see `Upstream::ask`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use hyper::body::Incoming;
use tokio::{sync::oneshot, task::JoinSet};

use super::connection::Connection;

pub(crate) struct Pool {
    inside: Mutex<Inside>,
    rest: Duration,
    /// To all origins.
    most: usize,
}

#[derive(Default)]
struct Inside {
    /// With its origin, the one that has rested longest first.
    resting: VecDeque<(String, Resting)>,
    /// Ends with the pool.
    tasks: JoinSet<()>,
}

/// Where the task that holds a connection is asked for it.
type Resting = oneshot::Sender<oneshot::Sender<Connection>>;

/// An end mark comes with its answer, or a packet later.
const SETTLE: Duration = Duration::from_millis(500);

impl Pool {
    pub fn new(rest: Duration, most: usize) -> Arc<Self> {
        Arc::new(Pool { inside: Mutex::default(), rest, most })
    }

    pub async fn take(&self, origin: &str) -> Option<Connection> {
        loop {
            let resting = self.lock().last(origin)?;
            let (give, given) = oneshot::channel();
            if resting.send(give).is_ok()
                && let Ok(connection) = given.await
            {
                return Some(connection);
            }
        }
    }

    pub fn keep(self: &Arc<Self>, origin: &str, mut connection: Connection) {
        let (ask, asked) = oneshot::channel();
        connection.reused = true;
        let mut inside = self.lock();
        inside.resting.push_back((origin.to_owned(), ask));
        if inside.resting.len() > self.most {
            inside.resting.pop_front();
        }
        inside.spawn(hold(connection, asked, self.rest, Arc::downgrade(self)));
    }

    /// As `keep`, when the last answer's end mark is still under way.
    pub fn settle(self: &Arc<Self>, origin: &str, mut connection: Connection, mut body: Incoming) {
        let (pool, origin) = (Arc::downgrade(self), origin.to_owned());
        self.lock().spawn(async move {
            let end = std::future::poll_fn(|cx| connection.poll_body(&mut body, cx));
            let ended = tokio::time::timeout(SETTLE, end).await;
            if let (Ok(None), Some(pool)) = (ended, pool.upgrade()) {
                pool.keep(&origin, connection);
            }
        });
    }

    fn forget_closed(&self) {
        self.lock().resting.retain(|(_, resting)| !resting.is_closed());
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn last(&mut self, origin: &str) -> Option<Resting> {
        let at = self.resting.iter().rposition(|(of, _)| of == origin)?;
        self.resting.remove(at).map(|(_, resting)| resting)
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task);
    }
}

async fn hold(
    mut connection: Connection,
    asked: oneshot::Receiver<oneshot::Sender<Connection>>,
    rest: Duration,
    pool: Weak<Pool>,
) {
    tokio::select! {
        biased;
        () = connection.closed() => {}
        give = asked => {
            if let Ok(give) = give {
                let _ = give.send(connection);
            }
            return;
        }
        () = tokio::time::sleep(rest) => {}
    }
    drop(connection);
    if let Some(pool) = pool.upgrade() {
        pool.forget_closed();
    }
}
