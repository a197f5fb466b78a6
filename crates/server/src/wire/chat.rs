//! What a send says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use session::{
    id::{ConfigId, SessionId, TurnId},
    lane, message,
    turn::Options,
};
use utoipa::ToSchema;

use super::{Object, nullable, schema};

/// `POST /chat`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    #[schema(value_type = Option<schema::Content>)]
    pub message: Option<message::Content>,
    /// In place of `message`: answers to the tool calls of the turn before.
    #[schema(value_type = Option<Vec<ToolResult>>)]
    pub tool_results: Option<Vec<Object<ToolResult>>>,
    /// A session is made when there is none.
    #[schema(value_type = Option<String>)]
    pub session_id: Option<SessionId>,
    /// Else the session's, else the default.
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    #[serde(default)]
    pub stream: bool,
    /// `false`: answer 202 at once.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub wait: bool,
    #[schema(value_type = Option<schema::IfBusy>)]
    pub if_busy: Option<lane::IfBusy>,
    /// The turn to continue, instead of the head; `null` begins anew.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub parent: Option<Option<TurnId>>,
    #[serde(default)]
    #[schema(value_type = Option<OnDisconnect>)]
    pub on_disconnect: OnDisconnect,
    pub model: Option<String>,
    /// Stands above the session's and the config's.
    pub system: Option<String>,
    pub tools: Option<Value>,
    pub tool_choice: Option<Value>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub max_tokens: Option<u64>,
    pub stop: Option<Value>,
    pub response_format: Option<Value>,
    pub seed: Option<i64>,
    /// Kept with the turn, given back with it, not sent.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// Merged into the upstream request untouched.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

fn yes() -> bool {
    true
}

impl ChatRequest {
    pub fn options(&mut self) -> Options {
        Options {
            model: self.model.take(),
            system: self.system.take(),
            tools: self.tools.take(),
            tool_choice: self.tool_choice.take(),
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_tokens,
            stop: self.stop.take(),
            response_format: self.response_format.take(),
            seed: self.seed,
            extra: std::mem::take(&mut self.extra),
        }
    }
}

/// What becomes of the turn when the client leaves before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDisconnect {
    #[default]
    Continue,
    Cancel,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolResult {
    pub tool_call_id: String,
    #[schema(value_type = schema::Content)]
    pub content: message::Content,
}

/// `POST /turns/{id}/retry` and `/continue`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RerunRequest {
    /// Another config than the turn had.
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    pub model: Option<String>,
    pub stream: bool,
    #[schema(default = true)]
    pub wait: bool,
    #[schema(value_type = Option<schema::IfBusy>)]
    pub if_busy: Option<lane::IfBusy>,
    #[schema(value_type = Option<OnDisconnect>)]
    pub on_disconnect: OnDisconnect,
}

impl Default for RerunRequest {
    fn default() -> Self {
        RerunRequest {
            config_id: None,
            model: None,
            stream: false,
            wait: true,
            if_busy: None,
            on_disconnect: OnDisconnect::Continue,
        }
    }
}

/// `PATCH /turns/{id}`, for a turn that waits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRequest {
    #[schema(value_type = Option<schema::Content>)]
    pub message: Option<message::Content>,
    /// Its new place in the queue; 0 is the front.
    pub position: Option<u32>,
}
