//! Where OpenAI's Responses and the Open Responses specification (2026-04-24) differ: the names of events about
//! reasoning, and the shape of an error in a stream. The rest satisfies both.

use serde_json::{Value, json};

use crate::error::ErrorDetail;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    #[default]
    OpenAi,
    OpenResponses,
}

impl Dialect {
    /// Of a piece of reasoning, and of the whole.
    pub(super) fn reasoning(self) -> (&'static str, &'static str) {
        match self {
            Dialect::OpenAi => ("response.reasoning_text.delta", "response.reasoning_text.done"),
            Dialect::OpenResponses => ("response.reasoning.delta", "response.reasoning.done"),
        }
    }

    /// The data of an event named `error`.
    pub(super) fn error(self, number: u64, error: &ErrorDetail) -> Value {
        let ErrorDetail { kind, code, message, param, .. } = error;
        let mut data = match self {
            Dialect::OpenAi => json!({"code": code, "message": message, "param": param}),
            Dialect::OpenResponses => {
                json!({"error": {"type": kind, "code": code, "message": message, "param": param}})
            }
        };
        data["type"] = "error".into();
        data["sequence_number"] = number.into();
        data
    }
}
