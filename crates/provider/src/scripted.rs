//! A model that says what a test tells it to: the provider `scripted`. Waits are for gates, never for time.
//!
//! ```no_run
//! # async fn example(prompt: session::history::Prompt) {
//! use provider::{Providers, Target, scripted::{Gate, Scripted, Step}};
//!
//! let (scripted, gate) = (Scripted::default(), Gate::default());
//! let providers = Providers::with_scripted(scripted.clone());
//! scripted.then([Step::text("Hel"), Step::Wait(gate.clone()), Step::text("lo"), Step::stop()]);
//! // … the code under test makes its call with `Target::new("scripted", None)` …
//! gate.reached(1).await;
//! assert_eq!(scripted.calls()[0].messages().last().unwrap().1, "hi");
//! gate.open();
//! scripted.ended(1).await;
//! # }
//! ```

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::Value;
use session::{
    event::Delta,
    turn::{Failure, FailureCode, Finish},
};
use tokio::sync::watch;

pub const NAME: &str = "scripted";

#[derive(Debug, Clone)]
pub enum Step {
    Delta(Delta),
    Fail(Failure),
    Wait(Gate),
    /// Nothing more comes, and no end.
    Hang,
}

impl Step {
    pub fn text(text: &str) -> Step {
        Step::Delta(Delta::Text(text.to_owned()))
    }

    pub fn stop() -> Step {
        Step::Delta(Delta::Finish(Finish::Stop))
    }

    pub fn fail(code: FailureCode) -> Step {
        let message = format!("scripted {}", code.as_str());
        Step::Fail(crate::failure::failure(code, message))
    }
}

/// Scripts and what was asked. Clones are one and the same.
#[derive(Clone)]
pub struct Scripted(Arc<Shared>);

struct Shared {
    scripts: Mutex<Scripts>,
    calls: watch::Sender<Vec<Call>>,
}

struct Scripts {
    next: VecDeque<Vec<Step>>,
    otherwise: Otherwise,
}

type Otherwise = Arc<dyn Fn(&Call) -> Vec<Step> + Send + Sync>;

/// One call, as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Of all calls, from 1.
    pub number: usize,
    /// Of the calls with this very body, from 1.
    pub attempt: usize,
    pub model: String,
    pub body: Bytes,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The reply is held by its caller.
    Open,
    /// Its steps were given to their end.
    Ended,
    /// The reply was dropped before.
    Dropped,
}

impl Call {
    /// The messages that were sent, as role and text.
    pub fn messages(&self) -> Vec<(String, String)> {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| (text(&message["role"]), text(&message["content"]))).collect()
    }
}

impl Default for Scripted {
    /// Says `ok` to everything.
    fn default() -> Self {
        let otherwise: Otherwise = Arc::new(|_| vec![Step::text("ok"), Step::stop()]);
        let scripts = Mutex::new(Scripts { next: VecDeque::new(), otherwise });
        Scripted(Arc::new(Shared { scripts, calls: watch::Sender::default() }))
    }
}

impl Scripted {
    /// For the next call that has no script yet.
    pub fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.scripts().next.push_back(steps.into_iter().collect());
    }

    /// For every call that has none of its own. May look at the call, and at nothing of `self`.
    pub fn otherwise(&self, script: impl Fn(&Call) -> Vec<Step> + Send + Sync + 'static) {
        self.scripts().otherwise = Arc::new(script);
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.borrow().clone()
    }

    /// Waits for that many calls.
    pub async fn called(&self, calls: usize) {
        self.wait(|all| all.len() >= calls).await;
    }

    /// Waits until that many calls are over, given to their end or dropped.
    pub async fn ended(&self, calls: usize) {
        self.wait(|all| all.iter().filter(|call| call.state != State::Open).count() >= calls).await;
    }

    async fn wait(&self, mut ready: impl FnMut(&[Call]) -> bool) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.calls.subscribe().wait_for(|calls| ready(calls)).await;
    }

    fn scripts(&self) -> MutexGuard<'_, Scripts> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn call(&self, model: &str, body: Bytes) -> Play {
        let (next, otherwise) = {
            let mut scripts = self.scripts();
            (scripts.next.pop_front(), scripts.otherwise.clone())
        };
        let mut call = Call { number: 0, attempt: 1, model: model.to_owned(), body, state: State::Open };
        self.0.calls.send_modify(|calls| {
            call.number = calls.len() + 1;
            call.attempt += calls.iter().filter(|earlier| earlier.body == call.body).count();
            calls.push(call.clone());
        });
        let steps = next.unwrap_or_else(|| otherwise(&call));
        Play { steps: steps.into(), waiting: None, number: call.number, scripted: self.clone() }
    }

    fn set(&self, number: usize, state: State) {
        self.0.calls.send_if_modified(|calls| {
            let open = calls.get_mut(number - 1).filter(|call| call.state == State::Open);
            open.map(|call| call.state = state).is_some()
        });
    }
}

/// A script as it is given.
pub(crate) struct Play {
    steps: VecDeque<Step>,
    waiting: Option<BoxFuture<'static, ()>>,
    number: usize,
    scripted: Scripted,
}

impl Play {
    pub fn poll_next(&mut self, cx: &mut Context) -> Poll<Option<Result<Delta, Failure>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            let next = match self.steps.pop_front() {
                Some(Step::Delta(delta)) => return Poll::Ready(Some(Ok(delta))),
                Some(Step::Wait(gate)) => {
                    self.waiting = Some(Box::pin(async move { gate.passed().await }));
                    continue;
                }
                Some(Step::Hang) => {
                    self.waiting = Some(Box::pin(std::future::pending()));
                    continue;
                }
                Some(Step::Fail(failure)) => {
                    self.steps.clear();
                    Some(Err(failure))
                }
                None => None,
            };
            self.scripted.set(self.number, State::Ended);
            return Poll::Ready(next);
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.scripted.set(self.number, State::Dropped);
    }
}

/// Where scripts wait until the test lets them on. Clones are one and the same.
#[derive(Clone, Default)]
pub struct Gate(Arc<watch::Sender<Door>>);

#[derive(Default)]
struct Door {
    open: bool,
    reached: usize,
}

impl Gate {
    /// For those who wait, and those who come.
    pub fn open(&self) {
        self.0.send_modify(|door| door.open = true);
    }

    /// Waits until that many scripts came to the gate.
    pub async fn reached(&self, scripts: usize) {
        let _ = self.0.subscribe().wait_for(|door| door.reached >= scripts).await;
    }

    async fn passed(&self) {
        self.0.send_modify(|door| door.reached += 1);
        let _ = self.0.subscribe().wait_for(|door| door.open).await;
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let door = self.0.borrow();
        write!(f, "Gate {{ open: {}, reached: {} }}", door.open, door.reached)
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scripted").field(&*self.0.calls.borrow()).finish()
    }
}
