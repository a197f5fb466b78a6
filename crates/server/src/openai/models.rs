//! `/v1/models`: the configs.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use store::StoredConfig;

use super::{
    request::{model, model_not_found},
    response::seconds,
};
use crate::{app::App, auth::Caller, error::ApiError, params::Path};

pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Value>, ApiError> {
    let configs = app.store().configs(caller.project).await?;
    let models: Vec<Value> = configs.iter().map(|config| object(config.id.as_str(), config)).collect();
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    let (first, last) = (id(models.first()), id(models.last()));
    Ok(Json(json!({"object": "list", "data": models, "first_id": first, "last_id": last, "has_more": false})))
}

/// Of `config/model` too, as it can be asked for; whether the upstream has that model only it knows.
pub async fn read(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let (config, _) = model(&name)?;
    let config = app.store().config(caller.project, config).await?.ok_or_else(|| model_not_found(&name))?;
    Ok(Json(object(&name, &config)))
}

/// The members that OpenAI's clients look for, and then those that Anthropic's do.
fn object(name: &str, config: &StoredConfig) -> Value {
    json!({"id": name, "object": "model", "created": seconds(config.created_at), "owned_by": config.config.provider,
        "type": "model", "display_name": config.config.name, "created_at": config.created_at, "lifecycle": "active"})
}
