//! What the scheduler counts, for metrics. Labels come from closed sets.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use session::turn::Usage;
use store::Turn;

use crate::title;

/// Seconds, for what a model takes.
const BUCKETS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug)]
pub struct Stats {
    admitted: Counter,
    turns: Family<Status, Counter>,
    live: Gauge,
    attempts: Family<Outcome, Counter>,
    titles: Family<Outcome, Counter>,
    tokens: Family<Kind, Counter>,
    turn_seconds: Histogram,
    first_token_seconds: Histogram,
}

impl Default for Stats {
    fn default() -> Self {
        Stats {
            admitted: Counter::default(),
            turns: Family::default(),
            live: Gauge::default(),
            attempts: Family::default(),
            titles: Family::default(),
            tokens: Family::default(),
            turn_seconds: Histogram::new(BUCKETS),
            first_token_seconds: Histogram::new(BUCKETS),
        }
    }
}

impl Stats {
    pub fn register(&self, registry: &mut Registry) {
        registry.register("turns_admitted", "Turns acknowledged", self.admitted.clone());
        registry.register("turns", "Turns by final status", self.turns.clone());
        registry.register("turns_live", "Turns that run or wait now", self.live.clone());
        registry.register("upstream_attempts", "Upstream calls by outcome", self.attempts.clone());
        registry.register("titles", "Titles asked of models, by outcome", self.titles.clone());
        registry.register("tokens", "Tokens as upstreams count them", self.tokens.clone());
        registry.register("turn_duration_seconds", "From admission to the final state", self.turn_seconds.clone());
        registry.register("first_token_seconds", "From start to the first token", self.first_token_seconds.clone());
    }

    pub(crate) fn admitted(&self) {
        self.admitted.inc();
    }

    pub(crate) fn live(&self, turns: usize) {
        self.live.set(turns as i64);
    }

    pub(crate) fn attempt(&self, outcome: &'static str) {
        self.attempts.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn turn_ended(&self, turn: &Turn) {
        self.turns.get_or_create(&Status { status: turn.status.as_str() }).inc();
        self.tokens(&turn.usage);
        self.turn_seconds.observe(turn.timing.total_ms as f64 / 1000.0);
        if let Some(ms) = turn.timing.first_token_ms {
            self.first_token_seconds.observe(ms as f64 / 1000.0);
        }
    }

    pub(crate) fn title(&self, outcome: title::Outcome) {
        self.titles.get_or_create(&Outcome { outcome: outcome.as_str() }).inc();
    }

    pub(crate) fn tokens(&self, usage: &Usage) {
        for (kind, count) in [
            ("prompt", usage.prompt_tokens),
            ("cached", usage.cached_tokens),
            ("completion", usage.completion_tokens),
            ("reasoning", usage.reasoning_tokens),
        ] {
            if count > 0 {
                self.tokens.get_or_create(&Kind { kind }).inc_by(count);
            }
        }
    }
}
