//! `GET /providers`: whom a config may call.

use axum::{Json, extract::State};
use provider::Preset;
use scheduler::EnvKeys;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, wire::List};

#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// What a config says as its `provider`.
    pub id: &'static str,
    /// As its vendor writes it.
    pub name: &'static str,
    /// Used where a config names none; `null` for `echo`, which calls nobody.
    pub base_url: Option<&'static str>,
    /// A model to begin with, where one name lasts.
    pub model: Option<&'static str>,
    /// Its own server wants a key.
    pub needs_key: bool,
    /// The variable that holds its key by custom: the one that is set, else the usual one.
    pub key_env: Option<&'static str>,
    /// The server's environment has that variable, and it may be used for `base_url`.
    pub key_env_set: bool,
    /// Where one gets a key.
    pub keys_url: Option<&'static str>,
}

const ECHO: ProviderView = ProviderView {
    id: "echo",
    name: "Echo",
    base_url: None,
    model: Some("echo"),
    needs_key: false,
    key_env: None,
    key_env_set: false,
    keys_url: None,
};

impl ProviderView {
    fn new(preset: &'static Preset, env: &EnvKeys) -> ProviderView {
        let origin = provider::origin(preset.base_url).unwrap_or_default();
        let set = preset.key_env.iter().copied().find(|variable| env.allows(variable, &origin));
        ProviderView {
            id: preset.name,
            name: preset.title,
            base_url: Some(preset.base_url),
            model: preset.model,
            needs_key: !preset.key_env.is_empty(),
            key_env: set.or(preset.key_env.first().copied()),
            key_env_set: set.is_some(),
            keys_url: preset.keys_url,
        }
    }
}

/// List the providers that a config may name
#[utoipa::path(get, path = "/providers", operation_id = "list_providers", tag = "Configs", responses((status = 200, body = List<ProviderView>)))]
pub async fn list(State(app): State<App>, _: Caller) -> Json<List<ProviderView>> {
    let env = &app.scheduler.settings().env_keys;
    let presets = provider::presets().iter().map(|preset| ProviderView::new(preset, env));
    Json(List { data: presets.chain([ECHO]).collect(), has_more: false, next: None })
}
