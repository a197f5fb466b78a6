//! A turn: one input carried to its end. Its states, and every change of state that there is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{message::Message, words::words};

words! {
    /// `queued → running → completed | failed | cancelled | incomplete`. Final states are final.
    pub enum Status {
        Queued = "queued",
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
        Incomplete = "incomplete",
    }
}

impl Status {
    pub fn is_final(self) -> bool {
        !matches!(self, Status::Queued | Status::Running)
    }

    /// The status after `change`, or `None` where the change does not apply: the turn is then left as it is.
    pub fn after(self, change: &Change) -> Option<Status> {
        match (self, change) {
            (Status::Queued, Change::Start) => Some(Status::Running),
            (Status::Queued, Change::Cancel) => Some(Status::Cancelled),
            (Status::Queued, Change::Edit) => Some(Status::Queued),
            (Status::Running, Change::End(end)) if end.is_final() => Some(*end),
            // Nothing stored: the answer has not begun, so it may be asked for again.
            (Status::Running, Change::TakeOver { stored: false, may_retry: true }) => Some(Status::Running),
            (Status::Running, Change::TakeOver { .. }) => Some(Status::Incomplete),
            // Only the owner ends a running turn, since it holds the text: it is asked, not overruled.
            (Status::Running, Change::Cancel | Change::Start | Change::Edit | Change::End(_)) => None,
            (Status::Queued, Change::End(_) | Change::TakeOver { .. }) => None,
            (Status::Completed | Status::Failed | Status::Cancelled | Status::Incomplete, _) => None,
        }
    }
}

/// What can happen to a turn in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The lane reached it.
    Start,
    /// Somebody asked that it not be answered.
    Cancel,
    /// Its message or its place in the queue changed.
    Edit,
    /// Its owner brought it to an end.
    End(Status),
    /// Its owner is gone. `stored`: a segment of its answer is there. `may_retry`: attempts are left.
    TakeOver { stored: bool, may_retry: bool },
}

words! {
    /// Why a turn is `incomplete`.
    pub enum Reason {
        /// The model's token limit, or ours on the size of an answer.
        Length = "length",
        ContentFilter = "content_filter",
        /// Its owner crashed or lost it.
        Interrupted = "interrupted",
    }
}

words! {
    /// Why the model stopped.
    pub enum Finish {
        Stop = "stop",
        Length = "length",
        ToolCalls = "tool_calls",
        ContentFilter = "content_filter",
    }
}

/// Tokens, as the upstream counts and bills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// The part of `prompt_tokens` that the upstream took from its prefix cache.
    pub cached_tokens: u64,
    /// The part of `completion_tokens` spent on reasoning.
    pub reasoning_tokens: u64,
}

/// How long a turn took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// From admission to start.
    pub queued_ms: u64,
    /// From start to the first piece of the answer; absent when there was none.
    pub first_token_ms: Option<u64>,
    /// From admission to the end.
    pub total_ms: u64,
}

/// Why a turn failed, in words for its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: FailureCode,
    /// What failed, for what, and what to do. Names the upstream, never its key.
    pub message: String,
    /// The upstream's HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// How long the upstream asked us to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the upstream calls this request in its own log, when it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<String>,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            upstream_status: None,
            retry_after_ms: None,
            upstream_request_id: None,
        }
    }
}

words! {
    /// What went wrong, for programs.
    pub enum FailureCode {
        /// No connection: refused, reset, TLS, DNS.
        UpstreamUnreachable = "upstream_unreachable",
        UpstreamTimeout = "upstream_timeout",
        UpstreamRateLimited = "upstream_rate_limited",
        UpstreamKeyRejected = "upstream_key_rejected",
        UpstreamModelNotFound = "upstream_model_not_found",
        /// The upstream refused the request itself.
        UpstreamRejected = "upstream_rejected",
        ContextTooLong = "context_too_long",
        ContentFilter = "content_filter",
        /// The upstream failed (5xx), or broke off or garbled its answer.
        UpstreamError = "upstream_error",
        /// No key is known for this upstream.
        ConfigKeyMissing = "config_key_missing",
        /// The config was deleted before the turn's time came.
        ConfigNotFound = "config_not_found",
        /// Our own fault.
        Internal = "internal",
    }
}

impl FailureCode {
    /// Whether the same request may succeed a moment later. Asked only while nothing of an answer has been shown.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            FailureCode::UpstreamUnreachable
                | FailureCode::UpstreamTimeout
                | FailureCode::UpstreamRateLimited
                | FailureCode::UpstreamError
        )
    }
}

words! {
    /// How a turn came to be.
    pub enum Kind {
        /// A message was sent.
        Message = "message",
        /// Tool calls were answered.
        ToolResults = "tool_results",
        /// An earlier turn's input, once more.
        Retry = "retry",
        /// An incomplete answer is to go on.
        Continue = "continue",
        /// Messages were put in that nobody is asked to answer.
        Insert = "insert",
    }
}

/// What a request may say about how its turn is answered; the rest comes from the config. Field names are those of
/// the chat-completions format. <https://platform.openai.com/docs/api-reference/chat/create>
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Merged into the upstream request untouched.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Options {
    pub fn is_default(&self) -> bool {
        *self == Options::default()
    }
}

/// How a run of a turn ended: what the finishing transaction writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub status: Status,
    pub reason: Option<Reason>,
    pub finish: Option<Finish>,
    /// What the model said, as far as it came.
    pub answer: Option<Message>,
    /// The model that answered, by the upstream's word or else as asked for.
    pub model: Option<String>,
    pub usage: Usage,
    pub error: Option<Failure>,
}

impl Outcome {
    /// Whether the turn's messages belong to later histories (DESIGN §1, the table).
    pub fn counts(&self) -> bool {
        self.status == Status::Completed || self.answer.as_ref().is_some_and(Message::says_something)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_an_answer_to_every_change() {
        let table = [
            // change                                               queued             running               final
            (Change::Start, Some("running"), None, None),
            (Change::Cancel, Some("cancelled"), None, None),
            (Change::Edit, Some("queued"), None, None),
            (Change::End(Status::Completed), None, Some("completed"), None),
            (Change::End(Status::Failed), None, Some("failed"), None),
            (Change::End(Status::Cancelled), None, Some("cancelled"), None),
            (Change::End(Status::Incomplete), None, Some("incomplete"), None),
            (Change::End(Status::Queued), None, None, None),
            (Change::End(Status::Running), None, None, None),
            (Change::TakeOver { stored: false, may_retry: true }, None, Some("running"), None),
            (Change::TakeOver { stored: false, may_retry: false }, None, Some("incomplete"), None),
            (Change::TakeOver { stored: true, may_retry: true }, None, Some("incomplete"), None),
            (Change::TakeOver { stored: true, may_retry: false }, None, Some("incomplete"), None),
        ];
        for (change, queued, running, ended) in table {
            for status in Status::ALL {
                let expected = match status {
                    Status::Queued => queued,
                    Status::Running => running,
                    _ => ended,
                };
                assert_eq!(status.after(&change).map(Status::as_str), expected, "{status:?}, {change:?}");
            }
        }
    }

    #[test]
    fn a_turn_counts_in_later_histories_when_it_completed_or_said_something() {
        let outcome = |status, text: Option<&str>| Outcome {
            status,
            reason: None,
            finish: None,
            answer: text.map(Message::assistant),
            model: None,
            usage: Usage::default(),
            error: None,
        };
        assert!(outcome(Status::Completed, None).counts());
        for status in [Status::Failed, Status::Cancelled, Status::Incomplete] {
            assert!(outcome(status, Some("partial")).counts());
            assert!(!outcome(status, None).counts());
            assert!(!outcome(status, Some("")).counts());
        }
    }
}
