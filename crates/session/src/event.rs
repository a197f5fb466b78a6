//! What is streamed of a turn: events, numbered from 1 within each epoch.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    message::ToolCall,
    turn::{Finish, Usage},
    words::words,
};

/// An event's name in its turn: `<epoch>.<seq>`. Later events have greater ids, and an id is never used again with
/// other bytes. `0.0` stands before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId {
    pub epoch: u32,
    pub seq: u32,
}

impl EventId {
    pub const START: EventId = EventId { epoch: 0, seq: 0 };

    pub fn new(epoch: u32, seq: u32) -> Self {
        EventId { epoch, seq }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl FromStr for EventId {
    type Err = BadEventId;
    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let number = |part: &str| -> Result<u32, BadEventId> {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().map_err(|_| BadEventId) } else { Err(BadEventId) }
        };
        let (epoch, seq) = text.split_once('.').ok_or(BadEventId)?;
        Ok(EventId { epoch: number(epoch)?, seq: number(seq)? })
    }
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("an event id is `<epoch>.<seq>`, as in 1.42")]
pub struct BadEventId;

words! {
    pub enum ReasoningKind {
        /// The model's thoughts as they came.
        Text = "text",
        /// The upstream's summary of them.
        Summary = "summary",
    }
}

words! {
    /// What a part of an answer is.
    pub enum PartKind {
        Reasoning = "reasoning",
        Message = "message",
        Refusal = "refusal",
        ToolCall = "tool_call",
    }
}

/// A piece of an answer, as a provider gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    Text(String),
    Reasoning {
        text: String,
        kind: ReasoningKind,
    },
    Refusal(String),
    /// `id` and `name` come with a call's first piece; `arguments` may be empty.
    ToolCall {
        index: u32,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    /// The model's name, by the upstream's word.
    Model(String),
    /// What the upstream has counted so far; a later one replaces an earlier.
    Usage(Usage),
    Finish(Finish),
}

/// All that is known of an answer at one moment; what a watcher saw before gives way to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    pub text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refusal: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}

/// Offsets count Unicode scalar values of the text of the same kind that came before.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Queued {
        position: u32,
    },
    Started {
        model: String,
        attempt: u32,
    },
    Text {
        text: String,
        offset: u64,
    },
    Reasoning {
        text: String,
        offset: u64,
        kind: ReasoningKind,
    },
    Refusal {
        text: String,
        offset: u64,
    },
    ToolCall {
        index: u32,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    /// `index` counts the answer's parts of this kind from 0.
    PartDone {
        kind: PartKind,
        index: u32,
    },
    Snapshot(Snapshot),
    /// The turn reached a final state, which storage has.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = EventId::new(3, 42);
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        for bad in ["", "1", "1.", ".1", "-1.2", "+1.2", "1.2.3", "1.x", "4294967296.1", " 1.1", "1.1\n"] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_later_epoch_stands_after_every_number_of_an_earlier_one() {
        assert!(EventId::new(2, 1) > EventId::new(1, 4_000_000));
        assert!(EventId::new(1, 1) > EventId::START);
    }
}
