//! Configs as clients see them. A key goes in and never comes out.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use session::{
    config::{Config, Timeouts},
    id::ConfigId,
    time::Time,
    window::Window,
};
use store::StoredConfig;
use utoipa::ToSchema;

use super::{Object, nullable, schema};

/// `POST /configs`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConfigRequest {
    #[schema(value_type = Option<String>)]
    pub id: Option<ConfigId>,
    pub name: String,
    /// `openai`, a preset (`deepseek`, `zhipu`, …) or `echo`.
    pub provider: String,
    /// The preset's own when absent.
    pub base_url: Option<String>,
    /// Stored sealed, and bound to the origin of `base_url`.
    #[schema(value_type = Option<String>)]
    pub api_key: Option<SecretString>,
    /// Names a variable of the server's own environment instead.
    pub api_key_env: Option<String>,
    /// The preset's own when absent.
    pub model: Option<String>,
    pub system: Option<String>,
    /// Sent with every request, under the upstream's own names.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
    #[schema(value_type = Option<schema::Window>)]
    pub window: Option<Object<Window>>,
    #[schema(value_type = Option<schema::Timeouts>)]
    pub timeouts: Option<Object<Timeouts>>,
    /// Upstream calls at once.
    pub max_concurrency: Option<u32>,
    /// Use it where no config is named.
    #[serde(default)]
    pub default: bool,
    /// Let it make the titles of sessions with `auto_title: "model"`, in place of each session's own config.
    #[serde(default)]
    pub titles: bool,
}

/// `PATCH /configs/{id}`: fields that are absent stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRequest {
    pub name: Option<String>,
    pub provider: Option<String>,
    /// Another origin drops the stored key.
    #[serde(default, deserialize_with = "nullable")]
    pub base_url: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub api_key: Option<Option<SecretString>>,
    #[serde(default, deserialize_with = "nullable")]
    pub api_key_env: Option<Option<String>>,
    pub model: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub system: Option<Option<String>>,
    #[schema(value_type = Option<Object>)]
    pub params: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<schema::Window>)]
    pub window: Option<Option<Object<Window>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<schema::Timeouts>)]
    pub timeouts: Option<Option<Object<Timeouts>>>,
    #[serde(default, deserialize_with = "nullable")]
    pub max_concurrency: Option<Option<u32>>,
    pub default: Option<bool>,
    pub titles: Option<bool>,
}

impl ConfigRequest {
    /// The revision that comes after `config`.
    pub fn apply(self, config: Config) -> Config {
        Config {
            name: self.name.unwrap_or(config.name),
            provider: self.provider.unwrap_or(config.provider),
            base_url: self.base_url.unwrap_or(config.base_url),
            api_key_env: self.api_key_env.unwrap_or(config.api_key_env),
            model: self.model.unwrap_or(config.model),
            system: self.system.unwrap_or(config.system),
            params: self.params.unwrap_or(config.params),
            window: self.window.map_or(config.window, |given| given.map(|Object(window)| window).unwrap_or_default()),
            timeouts: self
                .timeouts
                .map_or(config.timeouts, |given| given.map(|Object(timeouts)| timeouts).unwrap_or_default()),
            max_concurrency: self.max_concurrency.unwrap_or(config.max_concurrency),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ConfigView {
    #[schema(value_type = String)]
    pub id: ConfigId,
    /// Goes up with every change.
    pub revision: u32,
    pub name: String,
    pub provider: String,
    /// As it is called, the preset's own included; `null` for `echo`.
    pub base_url: Option<String>,
    /// A key is stored, or the named variable may be used for this upstream.
    pub has_key: bool,
    pub api_key_env: Option<String>,
    pub model: String,
    pub system: Option<String>,
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
    #[schema(value_type = schema::Window)]
    pub window: Window,
    #[schema(value_type = schema::Timeouts)]
    pub timeouts: Timeouts,
    pub max_concurrency: Option<u32>,
    pub default: bool,
    /// It makes the titles; one at most does.
    pub titles: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

impl ConfigView {
    pub fn new(stored: StoredConfig, base_url: Option<String>, has_key: bool) -> Self {
        let StoredConfig { id, revision, config, is_default, makes_titles, created_at, updated_at, .. } = stored;
        ConfigView {
            id,
            revision,
            name: config.name,
            provider: config.provider,
            base_url,
            has_key,
            api_key_env: config.api_key_env,
            model: config.model,
            system: config.system,
            params: config.params,
            window: config.window,
            timeouts: config.timeouts,
            max_concurrency: config.max_concurrency,
            default: is_default,
            titles: makes_titles,
            created_at,
            updated_at,
        }
    }
}

/// `POST /configs/{id}/test`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfigTest {
    /// The upstream answered.
    pub ok: bool,
    /// To the first piece of its answer.
    pub latency_ms: u64,
    pub model: Option<String>,
    /// What is wrong, and what to do.
    #[schema(value_type = Option<schema::Failure>)]
    pub error: Option<session::turn::Failure>,
}
