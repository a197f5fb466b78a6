//! A config: a named way to call a model. A change makes a new revision; revisions are immutable.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::window::Window;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    /// A wire format or a preset: `openai`, `deepseek`, `zhipu`, `echo`, …
    pub provider: String,
    /// Where the upstream is; the preset's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The server's environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Parameters sent with every request, under the upstream's own names; a turn's options stand above them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    #[serde(default)]
    pub window: Window,
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Upstream calls at once; further turns wait, first come first served. No limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
}

/// Deadlines of one upstream call, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// To a connection, TLS included.
    pub connect_ms: u64,
    /// From the request to the first piece of the answer. Reasoning models and cold local ones take long.
    pub first_token_ms: u64,
    /// Between two pieces.
    pub between_tokens_ms: u64,
    /// The whole turn, from its start, retries and waiting for the upstream's turn included.
    pub turn_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect_ms: 10_000, first_token_ms: 120_000, between_tokens_ms: 60_000, turn_ms: 1_800_000 }
    }
}
