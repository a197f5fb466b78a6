//! Which part of a path is sent with a turn.
//!
//! Upstream prompt caches bill by common prefix. A window that slides by one message a turn would break the prefix
//! every time, so the cut moves in steps: `messages: 20` leaves out a multiple of ten and sends 20 to 29 earlier
//! messages; `tokens: N` is a ceiling, and leaves out a multiple of a third of N. Both follow from the path's counters
//! alone, so that every turn of a path, on whichever replica, finds the same cut.

use serde::{Deserialize, Serialize};

/// How much of the path is sent. A limit that is absent does not limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Earlier messages sent at least, when there are as many; up to half as many more are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u32>,
    /// Tokens sent at most, system prompt and the turn's own message included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

impl Default for Window {
    /// The last 20 messages.
    fn default() -> Self {
        Window { messages: Some(20), tokens: None }
    }
}

/// How much of something lies on a path, counting from its root; only messages that are sent in later histories count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub messages: u64,
    pub tokens: u64,
}

impl std::ops::Add for Counters {
    type Output = Counters;
    fn add(self, more: Counters) -> Counters {
        Counters { messages: self.messages + more.messages, tokens: self.tokens + more.tokens }
    }
}

/// How much of a path, from its root, is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    messages: u64,
    tokens: u64,
}

impl Window {
    /// The cut for a turn whose history is a path of `path`; `fixed_tokens` are sent with it whatever the history is.
    pub fn cut(&self, path: Counters, fixed_tokens: u64) -> Cut {
        Cut {
            messages: self.messages.map_or(0, |keep| whole_steps(path.messages, keep.into(), u64::from(keep) / 2)),
            tokens: self.tokens.map_or(0, |most| {
                let step = (u64::from(most) / 3).max(1);
                (path.tokens + fixed_tokens).saturating_sub(most.into()).div_ceil(step) * step
            }),
        }
    }
}

/// The multiple of `step` to leave out so that at least `keep` stay.
fn whole_steps(all: u64, keep: u64, step: u64) -> u64 {
    let step = step.max(1);
    all.saturating_sub(keep) / step * step
}

impl Cut {
    /// Whether a turn is sent, given the path's counters before and through it. Whole turns only: one that the message
    /// cut would split is sent, one that the token cut would split is not.
    pub fn keeps(&self, before: Counters, through: Counters) -> bool {
        through.messages > self.messages && before.tokens >= self.tokens
    }

    /// Whether certainly nothing before a turn is sent, given the path's counters before it.
    pub fn ends_at(&self, before: Counters) -> bool {
        before.messages <= self.messages || before.tokens < self.tokens
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The turns kept of a path whose turns have these (messages, tokens), oldest first, as (first kept, messages, tokens).
    fn kept(window: Window, turns: &[(u64, u64)], fixed: u64) -> (usize, u64, u64) {
        let sum = |turns: &[(u64, u64)]| Counters {
            messages: turns.iter().map(|t| t.0).sum(),
            tokens: turns.iter().map(|t| t.1).sum(),
        };
        let cut = window.cut(sum(turns), fixed);
        let first = (0..turns.len()).find(|&i| cut.keeps(sum(&turns[..i]), sum(&turns[..=i]))).unwrap_or(turns.len());
        let rest = sum(&turns[first..]);
        (first, rest.messages, rest.tokens)
    }

    #[test]
    fn twenty_messages_send_twenty_to_twenty_nine_and_move_by_ten() {
        let window = Window::default();
        let sent: Vec<(usize, u64)> = (0..=30)
            .map(|n| {
                let (first, messages, _) = kept(window, &vec![(2, 10); n], 0);
                (first, messages)
            })
            .collect();
        assert_eq!(sent[10], (0, 20));
        assert_eq!(sent[14], (0, 28));
        assert_eq!(sent[15], (5, 20));
        assert_eq!(sent[19], (5, 28));
        assert_eq!(sent[20], (10, 20));
        assert_eq!(sent[30], (20, 20));
    }

    #[test]
    fn a_token_window_is_a_ceiling_cut_back_to_two_thirds() {
        let window = Window { messages: None, tokens: Some(300) };
        assert_eq!(kept(window, &[(2, 100); 3], 0), (0, 6, 300));
        assert_eq!(kept(window, &[(2, 100); 3], 1), (1, 4, 200));
        assert_eq!(kept(window, &[(2, 100); 4], 0), (1, 6, 300));
        assert_eq!(kept(window, &[(2, 1000); 4], 0), (4, 0, 0));
    }

    proptest! {
        #[test]
        fn a_window_keeps_its_limits(
            turns in prop::collection::vec((1u64..6, 0u64..500), 0..60),
            messages in prop::option::of(1u32..40),
            tokens in prop::option::of(1u32..3000),
            fixed in 0u64..100,
        ) {
            let window = Window { messages, tokens };
            let (first, sent, sent_tokens) = kept(window, &turns, fixed);
            let sum = |turns: &[(u64, u64)]| Counters {
                messages: turns.iter().map(|t| t.0).sum(),
                tokens: turns.iter().map(|t| t.1).sum(),
            };
            let cut = window.cut(sum(&turns), fixed);
            for i in 0..turns.len() {
                prop_assert!(i <= first || !cut.ends_at(sum(&turns[..i])));
            }
            prop_assert!(cut.ends_at(Counters::default()));
            let all: u64 = turns.iter().map(|t| t.0).sum();
            if let Some(most) = tokens {
                prop_assert!(sent == 0 || sent_tokens + fixed <= most.into());
            } else if let Some(keep) = messages {
                prop_assert!(sent >= u64::from(keep).min(all));
                let widest = turns.get(first).map_or(0, |t| t.0);
                prop_assert!(sent < u64::from(keep) + u64::from(keep / 2).max(1) + widest);
            } else {
                prop_assert_eq!(sent, all);
            }
        }

        /// The prefix changes at most once in as many turns as fill a step.
        #[test]
        fn a_window_moves_rarely(n in 1usize..200, keep in 2u32..60) {
            let window = Window { messages: Some(keep), tokens: None };
            let starts: Vec<usize> = (0..n).map(|n| kept(window, &vec![(2, 1); n], 0).0).collect();
            let moves = starts.windows(2).filter(|w| w[0] != w[1]).count();
            let step = (keep as usize / 2).max(1);
            prop_assert!(moves <= 2 * n / step + 1);
        }
    }
}
