//! The turn machine: what the owner of a running turn does about everything that can happen to it.
//!
//! Four phases, one short function each. Whatever happens, exactly one effect comes out; what the answer gained lies
//! in [`Run::answer`] as events to be shown.

use crate::{
    answer::Answer,
    event::Delta,
    turn::{Failure, FailureCode, Finish, Outcome, Reason, Status},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The upstream has been called and has not yet said anything.
    Calling,
    /// The last attempt failed; the next one is due later.
    Waiting,
    /// Something of the answer has been shown: no attempt will follow.
    Streaming,
    Over,
}

/// What can happen to a running turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    Delta(Delta),
    /// The upstream ended its answer properly.
    Ended,
    /// The attempt failed. `jitter` in 0..1 spreads the retries of many turns.
    Broke {
        failure: Failure,
        jitter: f64,
    },
    RetryDue,
    Stop(Stop),
    /// The turn's own deadline passed.
    Deadline,
    /// Storage refused a write: another owner has the turn.
    Lost,
}

/// Why somebody wants a running turn to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Asked for by a client, or by its leaving.
    Cancel,
    /// Another turn takes its place.
    MakeWay,
    /// The server goes down.
    Shutdown,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Go on listening.
    Nothing,
    Call {
        attempt: u32,
    },
    /// Report `RetryDue` after this long.
    Wait {
        ms: u64,
    },
    /// Commit this, then show the end.
    Finish(Box<Outcome>),
    /// Write nothing more: whoever owns the turn next decides.
    Leave,
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Upstream calls for one turn.
    pub attempts_max: u32,
    /// A longer answer ends `incomplete`, reason `length`.
    pub answer_bytes_max: usize,
    /// The wait after the first failed attempt; it doubles with each.
    pub backoff_ms: u64,
    /// A longer `Retry-After` than this fails the turn instead.
    pub retry_after_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { attempts_max: 3, answer_bytes_max: 4 << 20, backoff_ms: 500, retry_after_ms_max: 30_000 }
    }
}

#[derive(Debug)]
pub struct Run {
    phase: Phase,
    attempt: u32,
    limits: Limits,
    pub answer: Answer,
}

impl Run {
    /// A run whose attempts before (by an earlier owner) count.
    pub fn new(attempts_before: u32, limits: Limits) -> Self {
        Run { phase: Phase::Calling, attempt: attempts_before + 1, limits, answer: Answer::default() }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    pub fn on(&mut self, happening: Happening) -> Effect {
        match self.phase {
            Phase::Calling => self.calling(happening),
            Phase::Waiting => self.waiting(happening),
            Phase::Streaming => self.streaming(happening),
            Phase::Over => Effect::Nothing,
        }
    }

    fn calling(&mut self, happening: Happening) -> Effect {
        match happening {
            Happening::Delta(delta) => {
                let effect = self.hear(delta);
                if self.phase == Phase::Calling && !self.answer.is_empty() {
                    self.phase = Phase::Streaming;
                }
                effect
            }
            Happening::Broke { failure, jitter } => match self.retry_in(&failure, jitter) {
                Some(ms) => {
                    self.phase = Phase::Waiting;
                    Effect::Wait { ms }
                }
                None => self.fail(failure),
            },
            Happening::RetryDue => Effect::Nothing,
            other => self.end(other),
        }
    }

    fn waiting(&mut self, happening: Happening) -> Effect {
        match happening {
            Happening::RetryDue => {
                self.phase = Phase::Calling;
                self.attempt += 1;
                Effect::Call { attempt: self.attempt }
            }
            Happening::Delta(_) | Happening::Ended | Happening::Broke { .. } => Effect::Nothing,
            other => self.end(other),
        }
    }

    fn streaming(&mut self, happening: Happening) -> Effect {
        match happening {
            Happening::Delta(delta) => self.hear(delta),
            Happening::Broke { failure, .. } => self.fail(failure),
            Happening::RetryDue => Effect::Nothing,
            other => self.end(other),
        }
    }

    fn hear(&mut self, delta: Delta) -> Effect {
        self.answer.push(delta);
        if self.answer.len() <= self.limits.answer_bytes_max {
            return Effect::Nothing;
        }
        self.finish(Status::Incomplete, Some(Reason::Length), None)
    }

    /// The ends that look the same from every phase.
    fn end(&mut self, happening: Happening) -> Effect {
        match happening {
            Happening::Ended => match self.answer.finish {
                Some(Finish::Length) => self.finish(Status::Incomplete, Some(Reason::Length), None),
                Some(Finish::ContentFilter) => self.finish(Status::Incomplete, Some(Reason::ContentFilter), None),
                Some(Finish::Stop | Finish::ToolCalls) | None => self.finish(Status::Completed, None, None),
            },
            Happening::Stop(Stop::Cancel | Stop::MakeWay) => self.finish(Status::Cancelled, None, None),
            Happening::Stop(Stop::Shutdown) if !self.answer.is_empty() => {
                self.finish(Status::Incomplete, Some(Reason::Interrupted), None)
            }
            // Nothing was said yet: the next start of the server asks again.
            Happening::Stop(Stop::Shutdown) | Happening::Lost => {
                self.phase = Phase::Over;
                Effect::Leave
            }
            Happening::Deadline => self.fail(Failure::new(
                FailureCode::UpstreamTimeout,
                "The turn was not done within its config's timeouts.turn_ms. Retry it, or raise that limit.",
            )),
            Happening::Delta(_) | Happening::Broke { .. } | Happening::RetryDue => Effect::Nothing,
        }
    }

    fn fail(&mut self, failure: Failure) -> Effect {
        self.finish(Status::Failed, None, Some(failure))
    }

    fn finish(&mut self, status: Status, reason: Option<Reason>, error: Option<Failure>) -> Effect {
        self.phase = Phase::Over;
        self.answer.close();
        let finish = match status {
            Status::Completed => self.answer.finish.or(Some(Finish::Stop)),
            _ => self.answer.finish,
        };
        Effect::Finish(Box::new(Outcome {
            status,
            reason,
            finish,
            answer: self.answer.message(),
            model: self.answer.model.clone(),
            usage: self.answer.usage,
            error,
        }))
    }

    fn retry_in(&self, failure: &Failure, jitter: f64) -> Option<u64> {
        if !failure.code.is_passing() || self.attempt >= self.limits.attempts_max {
            return None;
        }
        match failure.retry_after_ms {
            Some(ms) if ms > self.limits.retry_after_ms_max => None,
            Some(ms) => Some(ms),
            None => {
                let most = self.limits.backoff_ms << (self.attempt - 1).min(6);
                Some((most as f64 * (0.5 + jitter.clamp(0.0, 1.0) / 2.0)) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: FailureCode, retry_after_ms: Option<u64>) -> Failure {
        Failure { retry_after_ms, ..Failure::new(code, "m") }
    }

    fn broke(code: FailureCode) -> Happening {
        Happening::Broke { failure: failure(code, None), jitter: 1.0 }
    }

    fn text(piece: &str) -> Happening {
        Happening::Delta(Delta::Text(piece.into()))
    }

    fn run(happenings: &[Happening]) -> Run {
        let mut run = Run::new(0, Limits { answer_bytes_max: 8, ..Limits::default() });
        for happening in happenings {
            run.on(happening.clone());
        }
        run
    }

    fn shown(effect: Effect) -> String {
        match effect {
            Effect::Nothing => "-".into(),
            Effect::Call { attempt } => format!("call {attempt}"),
            Effect::Wait { ms } => format!("wait {ms}"),
            Effect::Leave => "leave".into(),
            Effect::Finish(outcome) => {
                let words = [
                    Some(outcome.status.as_str()),
                    outcome.reason.map(Reason::as_str),
                    outcome.error.as_ref().map(|error| error.code.as_str()),
                    outcome.answer.as_ref().map(|_| "+text"),
                ];
                words.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn every_phase_has_an_answer_to_everything_that_can_happen() {
        let calling: &[Happening] = &[];
        let waiting = &[broke(FailureCode::UpstreamError)];
        let streaming = &[text("hi")];
        let over = &[Happening::Ended];
        let passing = || broke(FailureCode::UpstreamRateLimited);
        let lasting = || broke(FailureCode::UpstreamKeyRejected);
        let table = [
            // happening                     calling                      waiting                     streaming                          over
            (text("x"), "-", "-", "-", "-"),
            (text("far too long"), "incomplete length +text", "-", "incomplete length +text", "-"),
            (Happening::Ended, "completed", "-", "completed +text", "-"),
            (passing(), "wait 500", "-", "failed upstream_rate_limited +text", "-"),
            (lasting(), "failed upstream_key_rejected", "-", "failed upstream_key_rejected +text", "-"),
            (Happening::RetryDue, "-", "call 2", "-", "-"),
            (Happening::Stop(Stop::Cancel), "cancelled", "cancelled", "cancelled +text", "-"),
            (Happening::Stop(Stop::MakeWay), "cancelled", "cancelled", "cancelled +text", "-"),
            (Happening::Stop(Stop::Shutdown), "leave", "leave", "incomplete interrupted +text", "-"),
            (
                Happening::Deadline,
                "failed upstream_timeout",
                "failed upstream_timeout",
                "failed upstream_timeout +text",
                "-",
            ),
            (Happening::Lost, "leave", "leave", "leave", "-"),
        ];
        for (happening, in_calling, in_waiting, in_streaming, in_over) in table {
            let states = [(calling, in_calling), (waiting, in_waiting), (streaming, in_streaming), (over, in_over)];
            for (before, expected) in states {
                let mut run = run(before);
                let phase = run.phase();
                assert_eq!(shown(run.on(happening.clone())), expected, "{phase:?}, {happening:?}");
            }
        }
    }

    #[test]
    fn the_upstreams_reason_to_stop_decides_the_status() {
        for (finish, expected) in [
            (Finish::Stop, "completed +text"),
            (Finish::ToolCalls, "completed +text"),
            (Finish::Length, "incomplete length +text"),
            (Finish::ContentFilter, "incomplete content_filter +text"),
        ] {
            let mut run = run(&[text("hi"), Happening::Delta(Delta::Finish(finish))]);
            assert_eq!(shown(run.on(Happening::Ended)), expected);
        }
    }

    #[test]
    fn attempts_are_bounded_and_back_off() {
        let mut run = run(&[]);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(shown(run.on(broke(FailureCode::UpstreamUnreachable))));
            seen.push(shown(run.on(Happening::RetryDue)));
        }
        assert_eq!(seen, ["wait 500", "call 2", "wait 1000", "call 3", "failed upstream_unreachable", "-"]);
    }

    #[test]
    fn the_upstream_may_say_when_to_come_back() {
        let after = |ms| {
            let failure = failure(FailureCode::UpstreamRateLimited, Some(ms));
            shown(run(&[]).on(Happening::Broke { failure, jitter: 0.0 }))
        };
        assert_eq!(after(1200), "wait 1200");
        assert_eq!(after(3_600_000), "failed upstream_rate_limited");
    }

    #[test]
    fn the_upstreams_name_for_the_model_alone_is_no_answer() {
        let mut run = run(&[Happening::Delta(Delta::Model("m-1".into()))]);
        assert_eq!(run.phase(), Phase::Calling);
        assert_eq!(shown(run.on(broke(FailureCode::UpstreamError))), "wait 500");
    }

    #[test]
    fn attempts_of_an_earlier_owner_count() {
        let mut run = Run::new(2, Limits::default());
        assert_eq!(shown(run.on(broke(FailureCode::UpstreamError))), "failed upstream_error");
    }
}
