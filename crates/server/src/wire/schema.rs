//! OpenAPI schemas of types that live in `session`, which knows nothing of HTTP.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use session::{lane, message, title, turn};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

macro_rules! words {
    ($($name:ident: $of:ty),+ $(,)?) => {$(
        #[doc = concat!("The words of `", stringify!($of), "`.")]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(<$of>::WORDS.iter().copied())).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

words! {
    Role: message::Role,
    TurnStatus: turn::Status,
    IncompleteReason: turn::Reason,
    FinishReason: turn::Finish,
    TurnKind: turn::Kind,
    FailureCode: turn::FailureCode,
    IfBusy: lane::IfBusy,
    OnFailure: lane::OnFailure,
    AutoTitle: title::AutoTitle,
}

/// Plain text, or parts in order.
#[expect(dead_code, reason = "stands for session::message::Content in the schema")]
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[expect(dead_code, reason = "stands for session::message::Part in the schema")]
#[derive(ToSchema, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(ToSchema, Serialize)]
pub struct ImageUrl {
    /// `https://…`, or `data:image/…;base64,…`.
    pub url: String,
    pub detail: Option<String>,
}

/// A function that the model wants called.
#[derive(ToSchema, Serialize)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// What the model wrote, JSON if it kept to its instructions.
    pub arguments: String,
}

/// A message in its place. What is known of its turn stands beside it.
#[derive(ToSchema, Serialize)]
pub struct StoredMessage {
    pub id: String,
    pub session_id: String,
    pub turn_id: String,
    #[schema(value_type = Role)]
    pub role: message::Role,
    pub content: Content,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// What the model thought before it answered, where the upstream shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// Tokens, as the upstream counts and bills them.
#[derive(ToSchema, Serialize)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// The part of `prompt_tokens` taken from the upstream's prefix cache.
    pub cached_tokens: u64,
    /// The part of `completion_tokens` spent on reasoning.
    pub reasoning_tokens: u64,
}

/// Milliseconds.
#[derive(ToSchema, Serialize)]
pub struct Timing {
    pub queued_ms: u64,
    pub first_token_ms: Option<u64>,
    pub total_ms: u64,
}

/// Why a turn failed.
#[derive(ToSchema, Serialize)]
pub struct Failure {
    #[schema(value_type = FailureCode)]
    pub code: String,
    pub message: String,
    pub upstream_status: Option<u16>,
    pub retry_after_ms: Option<u64>,
    /// What the upstream calls this request, when it said so: its support will ask.
    pub upstream_request_id: Option<String>,
}

/// How much of the path is sent; a limit that is absent does not limit.
#[derive(ToSchema, Serialize, Deserialize)]
pub struct Window {
    /// Earlier messages sent at least; up to half as many more are, so that the upstream's prompt cache holds. Default 20.
    pub messages: Option<u32>,
    /// Tokens sent at most.
    pub tokens: Option<u32>,
}

/// Deadlines of an upstream call, in milliseconds.
#[derive(ToSchema, Serialize, Deserialize)]
pub struct Timeouts {
    /// Default 10,000.
    pub connect_ms: Option<u64>,
    /// Default 120,000.
    pub first_token_ms: Option<u64>,
    /// Default 60,000.
    pub between_tokens_ms: Option<u64>,
    /// Default 1,800,000.
    pub turn_ms: Option<u64>,
}
