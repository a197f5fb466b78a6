//! What every handler shares.

use std::sync::Arc;

use scheduler::{Clock, Scheduler};
use store::Store;

pub use crate::openai::Dialect;
use crate::{attempts::Attempts, auth::Auth, metrics::Metrics, sse::Streams};

/// Bounds on what a request may hold, apart from its size ([`crate::body::Limits`]).
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// `message_bytes_max`: one message, its parts together.
    pub message_bytes_max: usize,
    /// `tool_results_max` in one send.
    pub tool_results_max: usize,
    /// `metadata_bytes_max` of a session or a turn.
    pub metadata_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { message_bytes_max: 4 << 20, tool_results_max: 64, metadata_bytes_max: 16 << 10 }
    }
}

#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub scheduler: Scheduler,
    pub auth: Auth,
    pub(crate) sign_ins: Attempts,
    pub metrics: Arc<Metrics>,
    pub streams: Streams,
    pub bounds: Bounds,
    pub dialect: Dialect,
}

impl App {
    pub fn new(
        scheduler: Scheduler,
        auth: Auth,
        metrics: Arc<Metrics>,
        streams: Streams,
        bounds: Bounds,
        dialect: Dialect,
    ) -> App {
        App(Arc::new(Inner { scheduler, auth, sign_ins: Attempts::default(), metrics, streams, bounds, dialect }))
    }

    pub fn store(&self) -> &Store {
        self.0.scheduler.store()
    }

    pub fn clock(&self) -> Clock {
        self.0.scheduler.clock()
    }
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
