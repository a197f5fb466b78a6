//! What a request says that changes nothing here, kept with its turn so that its response says it again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Turn;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Given {
    /// How its client meant to wait. Every response goes on without one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tool_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_retention: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl Given {
    /// As it is stored; nothing is, where nothing was said.
    pub fn stored(&self) -> Option<Value> {
        serde_json::to_value(self).ok().filter(|_| *self != Given::default())
    }

    /// Of a turn that came by another surface, nothing.
    pub fn of(turn: &Turn) -> Given {
        turn.request.as_ref().and_then(|stored| Given::deserialize(stored).ok()).unwrap_or_default()
    }
}
