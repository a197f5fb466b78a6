//! Runs turns: admission, ownership, attempts, cancellation, live fan-out, shutdown. Knows nothing of HTTP.
//!
//! A session's lane is a task for as long as it has something to run. What a client asks for is done by a task of its
//! own, which the client's leaving does not stop.

#![warn(clippy::unwrap_used, reason = "it would end somebody's turn")]

mod admit;
mod aside;
mod clock;
mod feed;
mod gate;
mod journal;
mod lane;
mod live;
mod recover;
mod run;
mod stats;
mod target;
mod title;
mod trial;
mod turns;
mod watch;

use std::{sync::Arc, time::Duration};

use provider::Providers;
use session::{
    event::Event,
    id::{Owner, SessionId},
    run::Limits,
};
use store::{Store, Turn};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use crate::{
    admit::{Accepted, Ask, AskInput, MESSAGES_MAX},
    aside::Aside,
    clock::Clock,
    feed::{Feed, Follow, Followed, Notice},
    live::Shown,
    recover::Recovered,
    stats::Stats,
    target::{EnvKeys, resolve},
    trial::try_config,
    turns::Active,
    watch::Watch,
};

/// When an event may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// At once; a crash may take back the last moments, and says so.
    Relaxed,
    /// Once it is stored.
    Strict,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub limits: Limits,
    /// Turns waiting in one session.
    pub queue_max: u32,
    /// How long a lane is kept free for tool results.
    pub hold_ms: i64,
    pub durability: Durability,
    /// A running turn's events are stored this often, or when there are this many bytes.
    pub segment_every: Duration,
    pub segment_bytes: usize,
    /// The longest that a delta waits for others, under load.
    pub coalesce_max: Duration,
    pub env_keys: EnvKeys,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            limits: Limits::default(),
            queue_max: 32,
            hold_ms: 60_000,
            durability: Durability::Relaxed,
            segment_every: Duration::from_millis(250),
            segment_bytes: 4096,
            coalesce_max: Duration::from_millis(100),
            env_keys: EnvKeys::default(),
        }
    }
}

#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

pub(crate) struct Inner {
    pub store: Store,
    pub providers: Providers,
    pub settings: Settings,
    pub clock: Clock,
    /// This process, for one run.
    pub owner: Owner,
    pub begun: Instant,
    pub feed: Feed,
    pub lives: live::Lives,
    pub gates: gate::Gates,
    pub stats: Stats,
    pub tasks: TaskTracker,
    /// No lane starts another turn.
    pub draining: CancellationToken,
    /// Nothing is waited for any more.
    pub hard_stop: CancellationToken,
}

impl Scheduler {
    pub fn new(store: Store, providers: Providers, settings: Settings, clock: Clock) -> Scheduler {
        let owner: Owner = clock.id();
        Scheduler(Arc::new(Inner {
            store,
            providers,
            settings,
            clock,
            feed: Feed::new(owner.to_string()),
            owner,
            begun: Instant::now(),
            lives: live::Lives::default(),
            gates: gate::Gates::default(),
            stats: Stats::default(),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            hard_stop: CancellationToken::new(),
        }))
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// Counts as of now, to be registered for metrics.
    pub fn stats(&self) -> &Stats {
        self.0.stats.live(self.0.lives.len());
        &self.0.stats
    }

    /// Lets running turns come to their end for as long as `patience`, then ends them: with what they have said, or, if
    /// that is nothing, left to be run again. Queued turns stay queued.
    pub async fn shutdown(&self, patience: Duration) {
        let inner = &self.0;
        inner.draining.cancel();
        inner.tasks.close();
        let gentle = tokio::time::timeout(patience, inner.tasks.wait());
        tokio::select! {
            _ = gentle => {}
            () = inner.hard_stop.cancelled() => {}
        }
        for live in inner.lives.all() {
            live.stop(session::run::Stop::Shutdown);
        }
        let _ = tokio::time::timeout(Duration::from_secs(5), inner.tasks.wait()).await;
        inner.hard_stop.cancel();
    }

    /// Until a shutdown has brought every turn that ran to its end.
    pub async fn stopped(&self) {
        self.0.tasks.wait().await;
    }

    /// Ends the patience of a shutdown.
    pub fn hurry(&self) {
        self.0.hard_stop.cancel();
    }
}

impl Inner {
    /// How long deltas are gathered before they are shown: not at all while few turns run, up to `coalesce_max` when
    /// fifty do, since each write to a socket costs about as much as a hundred deltas.
    fn coalesce(&self) -> Duration {
        const QUIET: usize = 8;
        let live = self.lives.len();
        if live <= QUIET {
            return Duration::ZERO;
        }
        Duration::from_millis(2 * live as u64).min(self.settings.coalesce_max)
    }

    /// The end of a wait of at most `wait`. All turns share the ticks that long waits end at: one awakening serves many
    /// of them, and their segments share commits.
    fn tick_in(&self, wait: Duration) -> Instant {
        const TICK: Duration = Duration::from_millis(50);
        let end = self.begun.elapsed() + wait;
        let beyond = if wait > TICK { end.as_nanos() % TICK.as_nanos() } else { 0 };
        self.begun + end - Duration::from_nanos(beyond as u64)
    }

    /// Shows a turn's end, which storage has.
    fn ended(&self, live: &live::Live, turn: Turn) {
        self.stats.turn_ended(&turn);
        tracing::info!(
            turn_id = %turn.id,
            session_id = %turn.session,
            status = turn.status.as_str(),
            total_ms = turn.timing.total_ms,
            attempts = turn.attempts,
            "turn ended"
        );
        let id = turn.last.unwrap_or_default();
        let shown = Shown { id, event: Arc::new(Event::Ended), turn: Some(Arc::new(turn)) };
        live.publish(&self.feed, [shown]);
        self.lives.remove(live);
    }

    fn queue_changed(&self, live: &live::Live) {
        self.notice_queue(&live.project, &live.session);
    }

    fn notice_queue(&self, project: &session::id::ProjectId, session: &SessionId) {
        self.feed.push(project, Notice::QueueChanged { session: session.clone() });
    }
}
