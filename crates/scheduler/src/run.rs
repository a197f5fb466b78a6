//! Runs one turn: calls the upstream, tells what it says to the journal, and commits the end. What is to be done about
//! everything that happens, `session::run` decides; this loop only waits and acts.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use provider::{Reply as Upstream, Target};
use session::{
    event::{Event, Snapshot},
    history,
    run::{Effect, Happening, Run, Stop},
    tokens,
    turn::{Failure, FailureCode, Kind, Outcome, Status},
};
use sha2::{Digest, Sha256};
use store::{Fence, Finish, Finished, NextUp, Started, Unread};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, Sleep},
};

use crate::{
    Inner, aside,
    journal::{Journal, Lost, Rest},
    live::Live,
    target,
};

/// Runs a turn to its end; gives what the lane does next. `None`: it was left to another owner or another start. A panic
/// is an error here, and ends this one turn.
pub(crate) fn run<'a>(
    inner: &'a Arc<Inner>,
    live: Arc<Live>,
    started: &'a mut Started,
) -> impl Future<Output = std::thread::Result<Option<NextUp>>> + use<'a> {
    // In a box: moved into what catches panics, it would lie in the task twice.
    AssertUnwindSafe(Box::pin(async move { Running::new(inner, live, started).run().await })).catch_unwind()
}

/// A turn that runs, and all that its loop has to remember.
struct Running<'a> {
    inner: &'a Arc<Inner>,
    live: Arc<Live>,
    started: &'a mut Started,
    run: Run,
    begun: Instant,
    deadline: Instant,
    first_token_ms: Option<u64>,
    prompt_hash: Option<[u8; 32]>,
    journal: Journal<'a>,
    /// Until then, what the answer gains is gathered. `None` at first: an answer's first piece never waits.
    gather_until: Option<Instant>,
    /// Until then, the upstream is not even read: the kernel gathers, and no task is woken for each token.
    rests: bool,
    retry_at: Option<Instant>,
}

/// A turn that has lasted so many times as long as it would rest may do so.
const RESTS_AFTER: u32 = 10;

/// What woke the loop.
enum Woken {
    Happening(Happening),
    Stored(Result<(), Lost>),
    Timer,
}

/// An upstream call being made.
struct Call {
    upstream: Upstream,
    _place: Option<OwnedSemaphorePermit>,
}

impl<'a> Running<'a> {
    fn new(inner: &'a Arc<Inner>, live: Arc<Live>, started: &'a mut Started) -> Running<'a> {
        let begun = Instant::now();
        let fence = Fence {
            project: started.project.clone(),
            turn: started.turn.clone(),
            epoch: started.epoch,
            owner: inner.owner.clone(),
        };
        let journal = Journal::new(inner, live.clone(), fence);
        let turn_ms = started.config.as_ref().map_or(0, |config| config.config.timeouts.turn_ms);
        Running {
            inner,
            live,
            run: Run::new(started.attempts, inner.settings.limits),
            started,
            begun,
            deadline: begun + Duration::from_millis(turn_ms),
            first_token_ms: None,
            prompt_hash: None,
            journal,
            gather_until: None,
            rests: false,
            retry_at: None,
        }
    }

    async fn run(&mut self) -> Option<NextUp> {
        if self.started.kind == Kind::Insert {
            return self.finish(inserted(), false).await;
        }
        if self.started.epoch > 1 {
            // What an earlier owner showed and did not store is taken back.
            self.journal.tell(vec![Event::Snapshot(Snapshot::default())]);
        }
        let (target, body) = match self.prepare() {
            Ok(ready) => ready,
            Err(failure) => {
                let outcome = failed(failure);
                return self.finish(outcome, false).await;
            }
        };
        let mut stops = self.live.stops();
        let mut call = None;
        let mut effect = Effect::Call { attempt: self.run.attempt() };
        let mut wake: Pin<Box<Sleep>> = Box::pin(tokio::time::sleep_until(self.deadline));
        loop {
            match effect {
                Effect::Nothing => {}
                Effect::Call { attempt } => {
                    call = None;
                    match self.call(&target, &body, attempt, &mut stops).await {
                        Ok(begun) => call = Some(begun),
                        Err(happening) => {
                            effect = self.run.on(happening);
                            continue;
                        }
                    }
                }
                Effect::Wait { ms } => {
                    call = None;
                    self.retry_at = Some(Instant::now() + Duration::from_millis(ms));
                }
                Effect::Finish(outcome) => {
                    drop(call);
                    let makes_way = *stops.borrow() == Some(Stop::MakeWay);
                    return self.finish(*outcome, makes_way).await;
                }
                Effect::Leave => {
                    drop(call);
                    self.live.abandon();
                    return None;
                }
            }
            let wake_at = self.next_wake();
            if wake.deadline() != wake_at {
                wake.as_mut().reset(wake_at);
            }
            let woken = tokio::select! {
                biased;
                stop = asked_to_stop(&mut stops) => Woken::Happening(Happening::Stop(stop)),
                () = wake.as_mut() => Woken::Timer,
                stored = self.journal.stored() => Woken::Stored(stored),
                delta = next_delta(&mut call), if !self.rests => Woken::Happening(self.heard(delta)),
            };
            effect = match woken {
                Woken::Happening(happening) => {
                    if matches!(happening, Happening::Ended | Happening::Broke { .. }) {
                        call = None;
                    }
                    self.run.on(happening)
                }
                Woken::Stored(Ok(())) => Effect::Nothing,
                Woken::Stored(Err(Lost)) => self.run.on(Happening::Lost),
                Woken::Timer => self.timer(&mut call),
            };
            self.maybe_flush();
            self.journal.store(self.run.attempt(), self.prompt_hash);
        }
    }

    /// The request, with everything that it is made of resolved.
    fn prepare(&mut self) -> Result<(Target, Bytes), Failure> {
        let started = &mut *self.started;
        let config = started.config.as_ref().ok_or_else(|| {
            let message =
                "The config of this turn was deleted before the turn's time came. Retry it with another config.";
            Failure::new(FailureCode::ConfigNotFound, message)
        })?;
        let target = target::resolve(config, &self.inner.settings.env_keys)?;
        let past = std::mem::replace(&mut started.past, Ok(Vec::new()));
        let past = past.map_err(|Unread(why)| {
            tracing::error!(turn_id = %started.turn, session_id = %started.session, why, "a history cannot be read");
            let message = "What was said before could not be read from storage, so no model was asked. Your message is \
                           kept; `turnwise doctor` looks at the storage.";
            Failure::new(FailureCode::Internal, message)
        })?;
        let prompt = history::assemble(
            &config.config,
            started.session_system.as_deref(),
            &started.options,
            past,
            std::mem::take(&mut started.input),
        );
        let body = self.inner.providers.body(&target, &prompt)?;
        self.run.answer.model = Some(prompt.model);
        Ok((target, body))
    }

    /// Waits for a place at the config's gate, then begins an attempt.
    async fn call(
        &mut self,
        target: &Target,
        body: &Bytes,
        attempt: u32,
        stops: &mut watch::Receiver<Option<Stop>>,
    ) -> Result<Call, Happening> {
        let config = self.started.config.as_ref();
        let gate = async {
            let config = config?;
            let limit = config.config.max_concurrency;
            self.inner.gates.enter(&self.started.project, &config.id, limit).await
        };
        let place = tokio::select! {
            biased;
            stop = asked_to_stop(stops) => return Err(Happening::Stop(stop)),
            () = tokio::time::sleep_until(self.deadline) => return Err(Happening::Deadline),
            place = gate => place,
        };
        let model = self.run.answer.model.clone().unwrap_or_default();
        // Not before: `prompt` says of a turn that ended at the gate that nothing was sent for it.
        self.prompt_hash.get_or_insert_with(|| Sha256::digest(body).into());
        let upstream = self.inner.providers.call(target, &model, body.clone());
        self.journal.tell(vec![Event::Started { model, attempt }]);
        Ok(Call { upstream, _place: place })
    }

    fn heard(&mut self, delta: Option<Result<session::event::Delta, Failure>>) -> Happening {
        match delta {
            Some(Ok(delta)) => Happening::Delta(delta),
            Some(Err(failure)) => {
                self.inner.stats.attempt(failure.code.as_str());
                tracing::info!(
                    turn_id = %self.started.turn,
                    session_id = %self.started.session,
                    code = failure.code.as_str(),
                    attempt = self.run.attempt(),
                    "an upstream call failed"
                );
                Happening::Broke { failure, jitter: (self.inner.clock.chance)() }
            }
            None => {
                self.inner.stats.attempt("ok");
                Happening::Ended
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let gathered = self.gather_until.filter(|_| self.rests || self.run.answer.has_events());
        let timers = [gathered, self.journal.due(), self.retry_at];
        timers.into_iter().flatten().fold(self.deadline, Instant::min)
    }

    fn timer(&mut self, call: &mut Option<Call>) -> Effect {
        let now = Instant::now();
        if now >= self.deadline {
            return self.run.on(Happening::Deadline);
        }
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
            return self.run.on(Happening::RetryDue);
        }
        if self.rests && self.gather_until.is_none_or(|until| now >= until) {
            self.rests = false;
            return self.hear_all(call);
        }
        Effect::Nothing
    }

    /// Takes what has come from the upstream, without waiting for more.
    fn hear_all(&mut self, call: &mut Option<Call>) -> Effect {
        while let Some(delta) = next_delta(call).now_or_never() {
            let happening = self.heard(delta);
            match self.run.on(happening) {
                Effect::Nothing => {}
                effect => return effect,
            }
        }
        Effect::Nothing
    }

    /// Numbers and shows what the answer gained: at once when that is rare, together with what follows within a moment
    /// when many turns stream. Once such a moment is short beside the time that the turn has taken, its end may wait as
    /// long as its words do, and the turn rests.
    fn maybe_flush(&mut self) {
        if !self.run.answer.has_events() {
            return;
        }
        let now = Instant::now();
        if self.first_token_ms.is_none() && !self.run.answer.is_empty() {
            self.first_token_ms = Some(now.duration_since(self.begun).as_millis() as u64);
        }
        if self.gather_until.is_some_and(|until| now < until) {
            return;
        }
        let moment = self.inner.coalesce();
        self.gather_until = Some(self.inner.tick_in(moment));
        self.rests = !moment.is_zero() && now.duration_since(self.begun) >= moment * RESTS_AFTER;
        let events = self.run.answer.take_events();
        self.journal.tell(events);
    }

    /// In a box: a turn that waits for its model holds no room for its end.
    fn finish(&mut self, outcome: Outcome, interrupted: bool) -> BoxFuture<'_, Option<NextUp>> {
        Box::pin(self.end(outcome, interrupted))
    }

    /// Commits the end, and only then shows it.
    async fn end(&mut self, outcome: Outcome, interrupted: bool) -> Option<NextUp> {
        let last = self.run.answer.take_events();
        self.journal.tell(last);
        let Ok(Rest { segment, unshown, last_seq }) = self.journal.close().await else {
            self.live.abandon();
            return None;
        };
        let finish = Finish {
            fence: self.journal.fence.clone(),
            session: self.started.session.clone(),
            answer_id: self.inner.clock.id(),
            answer_tokens: outcome.answer.as_ref().map_or(0, tokens::of_message),
            rest: segment,
            last_seq,
            attempts: self.run.attempt(),
            first_token_ms: self.first_token_ms,
            prompt_hash: self.prompt_hash,
            interrupted,
            hold_ms: self.inner.settings.hold_ms,
            go_on: !self.inner.draining.is_cancelled(),
            now: self.inner.clock.now(),
            outcome,
        };
        let Some(finished) = self.commit(finish).await else {
            self.live.abandon();
            return None;
        };
        self.live.publish(&self.inner.feed, unshown);
        if finished.wants_title {
            self.inner.spawn_title(&self.started.project, &finished.turn);
        }
        self.inner.ended(&self.live, finished.turn);
        self.inner.spawn_free(finished.children);
        Some(finished.next)
    }

    /// Storage may be out of room for a while; the answer waits here until there is some, since it is nowhere else.
    async fn commit(&self, finish: Finish) -> Option<Finished> {
        if let Some(begun) = &self.live.aside {
            let turn = aside::ended(begun, finish);
            return Some(Finished { turn, next: NextUp::Nothing, children: Vec::new(), wants_title: false });
        }
        let mut failures = 0;
        loop {
            let error = match self.inner.store.finish(finish.clone()).await {
                Ok(finished) => return Some(finished),
                Err(error) => error,
            };
            failures += 1;
            let hopeless = match error {
                store::Error::Full | store::Error::Overloaded => false,
                store::Error::Failed(_) => failures >= 5,
                _ => true,
            };
            tracing::error!(
                turn_id = %self.started.turn,
                session_id = %self.started.session,
                %error,
                "the end of a turn was not stored{}",
                if hopeless { "; the next start of the server takes it up" } else { "; it is tried again" }
            );
            if hopeless {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = self.inner.hard_stop.cancelled() => return None,
            }
        }
    }
}

/// Of a turn that asks nobody.
fn inserted() -> Outcome {
    Outcome {
        status: Status::Completed,
        reason: None,
        finish: None,
        answer: None,
        model: None,
        usage: Default::default(),
        error: None,
    }
}

pub(crate) fn failed(failure: Failure) -> Outcome {
    Outcome {
        status: Status::Failed,
        reason: None,
        finish: None,
        answer: None,
        model: None,
        usage: Default::default(),
        error: Some(failure),
    }
}

async fn asked_to_stop(stops: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stops.wait_for(Option::is_some).await.map(|stop| *stop) {
        Ok(Some(stop)) => stop,
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

async fn next_delta(call: &mut Option<Call>) -> Option<Result<session::event::Delta, Failure>> {
    match call {
        Some(call) => call.upstream.next().await,
        None => std::future::pending().await,
    }
}
