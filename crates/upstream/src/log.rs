//! What was asked and how it ended, and waiting for it.

use std::{collections::HashMap, sync::Arc, time::Instant};

use tokio::sync::watch;

use crate::request::Request;

#[derive(Debug, Clone)]
pub struct Exchange {
    pub request: Arc<Request>,
    pub ended: Option<Instant>,
    pub outcome: Outcome,
    /// Everything written to the socket, heads and framing included.
    pub bytes_sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Open,
    /// The script ran to its end, whatever that was.
    Completed,
    /// The client went away before, or closed its side.
    ClientLeft,
    /// The server was stopped before, or the closure that picks scripts panicked.
    Stopped,
}

#[derive(Default)]
pub(crate) struct State {
    pub exchanges: Vec<Exchange>,
    pub received: usize,
    pub completed: usize,
    pub left: usize,
    pub at_gate: HashMap<String, usize>,
    pub forgets: bool,
}

pub(crate) struct Log(watch::Sender<State>);

impl Log {
    pub(crate) fn new() -> Log {
        Log(watch::Sender::new(State::default()))
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.borrow())
    }

    pub(crate) fn forget(&self) {
        self.0.send_modify(|state| state.forgets = true);
    }

    pub(crate) async fn wait(&self, ready: impl FnMut(&State) -> bool) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(ready).await;
    }

    /// Numbers and records a request. The ticket records how it ends, `Stopped` if it is merely dropped.
    pub(crate) fn begin(self: &Arc<Log>, mut request: Request) -> (Arc<Request>, Ticket) {
        let counts = request.method == http::Method::POST;
        let mut begun = None;
        self.0.send_modify(|state| {
            if counts {
                state.received += 1;
                request.number = state.received;
            }
            let request = Arc::new(request);
            let index = (!state.forgets).then_some(state.exchanges.len());
            if index.is_some() {
                let exchange =
                    Exchange { request: request.clone(), ended: None, outcome: Outcome::Open, bytes_sent: 0 };
                state.exchanges.push(exchange);
            }
            begun = Some((request, index));
        });
        let (request, index) = begun.expect("send_modify calls its closure");
        (request, Ticket { log: self.clone(), index, counts, outcome: Outcome::Stopped, bytes_sent: 0 })
    }

    /// Counts a script as standing at a gate until the guard is dropped.
    pub(crate) fn at_gate<'a>(&'a self, name: &'a str) -> AtGate<'a> {
        self.0.send_modify(|state| *state.at_gate.entry(name.to_owned()).or_default() += 1);
        AtGate { log: self, name }
    }
}

pub(crate) struct Ticket {
    log: Arc<Log>,
    index: Option<usize>,
    counts: bool,
    pub outcome: Outcome,
    pub bytes_sent: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.log.0.send_modify(|state| {
            match self.outcome {
                Outcome::Completed if self.counts => state.completed += 1,
                Outcome::ClientLeft if self.counts => state.left += 1,
                _ => {}
            }
            if let Some(exchange) = self.index.and_then(|index| state.exchanges.get_mut(index)) {
                exchange.ended = Some(Instant::now());
                exchange.outcome = self.outcome;
                exchange.bytes_sent = self.bytes_sent;
            }
        });
    }
}

pub(crate) struct AtGate<'a> {
    log: &'a Log,
    name: &'a str,
}

impl Drop for AtGate<'_> {
    fn drop(&mut self) {
        self.log.0.send_modify(|state| {
            if let Some(waiting) = state.at_gate.get_mut(self.name) {
                *waiting -= 1;
            }
        });
    }
}
