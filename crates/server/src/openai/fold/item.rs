//! The items of an output that is being made, and how their parts speak.

use serde_json::Value;
use session::message::ToolCall;

use super::super::{
    dialect::Dialect,
    ids::Kind,
    items::{self, IN_PROGRESS},
};

pub(super) struct Item {
    pub(super) id: String,
    pub(super) status: &'static str,
    pub(super) body: Body,
}

pub(super) enum Body {
    /// A message or a reasoning item.
    Parts {
        kind: Kind,
        parts: Vec<Part>,
        open: bool,
    },
    Call {
        index: u32,
        call: ToolCall,
        shown: bool,
    },
}

pub(super) struct Part {
    pub(super) voice: Voice,
    /// Its place among the parts of its list.
    pub(super) index: usize,
    pub(super) text: String,
}

/// How a part of an item speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Text,
    Refusal,
    Thought,
    Summary,
}

/// The names that a voice's events have.
pub(super) struct Names {
    pub(super) part_added: &'static str,
    pub(super) delta: &'static str,
    pub(super) done: &'static str,
    pub(super) part_done: &'static str,
    pub(super) index: &'static str,
    /// Of the whole text, in `done`.
    pub(super) whole: &'static str,
}

impl Voice {
    pub(super) fn item(self) -> Kind {
        match self {
            Voice::Text | Voice::Refusal => Kind::Message,
            Voice::Thought | Voice::Summary => Kind::Reasoning,
        }
    }

    pub(super) fn part(self, text: &str) -> Value {
        match self {
            Voice::Text => items::output_text(text),
            Voice::Refusal => items::refusal(text),
            Voice::Thought => items::reasoning_text(text),
            Voice::Summary => items::summary_text(text),
        }
    }

    pub(super) fn names(self, dialect: Dialect) -> Names {
        let (thought_delta, thought_done) = dialect.reasoning();
        let (delta, done, whole) = match self {
            Voice::Text => ("response.output_text.delta", "response.output_text.done", "text"),
            Voice::Refusal => ("response.refusal.delta", "response.refusal.done", "refusal"),
            Voice::Thought => (thought_delta, thought_done, "text"),
            Voice::Summary => ("response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "text"),
        };
        let (part_added, part_done, index) = match self {
            Voice::Summary => {
                ("response.reasoning_summary_part.added", "response.reasoning_summary_part.done", "summary_index")
            }
            _ => ("response.content_part.added", "response.content_part.done", "content_index"),
        };
        Names { part_added, delta, done, part_done, index, whole }
    }
}

impl Item {
    pub(super) fn value(&self) -> Value {
        match &self.body {
            Body::Call { call, .. } => items::call(&self.id, self.status, call),
            Body::Parts { kind: Kind::Reasoning, parts, .. } => {
                let of = |summary: bool| {
                    let those = parts.iter().filter(|part| (part.voice == Voice::Summary) == summary);
                    those.map(|part| part.voice.part(&part.text)).collect()
                };
                items::reasoning(&self.id, self.status, of(true), of(false))
            }
            Body::Parts { parts, .. } => {
                items::said(&self.id, self.status, parts.iter().map(|part| part.voice.part(&part.text)).collect())
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.status == IN_PROGRESS
    }

    pub(super) fn is_shown(&self) -> bool {
        !matches!(self.body, Body::Call { shown: false, .. })
    }
}
