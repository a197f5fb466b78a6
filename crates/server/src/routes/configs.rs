//! `/configs`: the ways to call a model.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode};
use provider::base_url;
use scheduler::{resolve, try_config};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use session::{
    config::{Config, Timeouts},
    id::{ConfigId, ProjectId},
    turn::Failure,
    window::Window,
};
use store::{ConfigAt, ConfigChange, StoredConfig};
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    body::{Body, Nothing, OptionalBody},
    check,
    error::{ApiError, ErrorBody},
    idempotency::Key,
    params::Path,
    wire::{ConfigRequest, ConfigTest, ConfigView, List, NewConfigRequest, Object},
};

const NAME_CHARS_MAX: usize = 100;
const DAY_MS: u64 = 86_400_000;

/// Make a config
#[utoipa::path(
    post, path = "/configs", operation_id = "create_config", tag = "Configs", request_body = NewConfigRequest,
    responses((status = 201, body = ConfigView), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Body { value: request, raw }: Body<NewConfigRequest>,
) -> Result<Response, ApiError> {
    let preset = provider::preset(&request.provider);
    let echo = request.provider == "echo";
    let model = request.model.or_else(|| preset.and_then(|preset| preset.model.map(str::to_owned)));
    let model = model.or_else(|| echo.then(|| "echo".to_owned())).ok_or_else(|| {
        ApiError::bad_request("model_required", "Name the `model` to call; GET /configs/{id}/models lists them later.")
            .param("model")
    })?;
    let config = Config {
        name: request.name,
        provider: request.provider,
        base_url: request.base_url,
        api_key_env: request.api_key_env,
        model,
        system: request.system,
        params: request.params,
        window: request.window.map(|Object(window)| window).unwrap_or_default(),
        timeouts: request.timeouts.map(|Object(timeouts)| timeouts).unwrap_or_default(),
        max_concurrency: request.max_concurrency,
    };
    let change = change_of(&app, config, request.api_key.map(Some))?;
    let change = ConfigChange { make_default: request.default, titles: request.titles.then_some(true), ..change };
    let clock = app.clock();
    let id = request.id.unwrap_or_else(|| clock.id());
    let key = key.of(&caller, &raw);
    let id = app.store().create_config(caller.project.clone(), id, change, key, clock.now()).await?;
    let made = find(&app, &caller.project, &id).await?;
    Ok((StatusCode::CREATED, Json(view(&app, made))).into_response())
}

/// List configs
#[utoipa::path(get, path = "/configs", operation_id = "list_configs", tag = "Configs", responses((status = 200, body = List<ConfigView>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<List<ConfigView>>, ApiError> {
    let configs = app.store().configs(caller.project).await?;
    let data = configs.into_iter().map(|config| view(&app, config)).collect();
    Ok(Json(List { data, has_more: false, next: None }))
}

/// Read a config
#[utoipa::path(
    get, path = "/configs/{id}", operation_id = "read_config", tag = "Configs", params(("id" = String, Path)),
    responses((status = 200, body = ConfigView), (status = 404, body = ErrorBody))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConfigId>,
) -> Result<Json<ConfigView>, ApiError> {
    let config = find(&app, &caller.project, &id).await?;
    Ok(Json(view(&app, config)))
}

/// Change a config; turns that run keep the revision they started with
#[utoipa::path(
    patch, path = "/configs/{id}", operation_id = "change_config", tag = "Configs", params(("id" = String, Path)), request_body = ConfigRequest,
    responses((status = 200, body = ConfigView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConfigId>,
    Body { value: mut request, .. }: Body<ConfigRequest>,
) -> Result<Json<ConfigView>, ApiError> {
    let before = find(&app, &caller.project, &id).await?;
    let (key, default, titles) = (request.api_key.take(), request.default.unwrap_or(false), request.titles);
    let change = change_of(&app, request.apply(before.config), key)?;
    let change = ConfigChange { make_default: default, titles, ..change };
    let now = app.clock().now();
    app.store().change_config(caller.project.clone(), id.clone(), before.revision, change, now).await?;
    let changed = find(&app, &caller.project, &id).await?;
    Ok(Json(view(&app, changed)))
}

/// Delete a config, and its key with it
#[utoipa::path(
    delete, path = "/configs/{id}", operation_id = "delete_config", tag = "Configs", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted; it serves no new sends"), (status = 404, body = ErrorBody))
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<ConfigId>) -> Result<StatusCode, ApiError> {
    app.store().delete_config(caller.project, id, app.clock().now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a config with one tiny call; says what is wrong
#[utoipa::path(
    post, path = "/configs/{id}/test", operation_id = "test_config", tag = "Configs", params(("id" = String, Path)),
    responses((status = 200, body = ConfigTest), (status = 404, body = ErrorBody))
)]
pub async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConfigId>,
    _: OptionalBody<Nothing>,
) -> Result<Json<ConfigTest>, ApiError> {
    let config = at(&app, &caller.project, &id).await?;
    let begun = Instant::now();
    let tried = try_config(app.scheduler.providers(), &app.scheduler.settings().env_keys, &config).await;
    let latency_ms = begun.elapsed().as_millis() as u64;
    let (ok, model, error) = match tried {
        Ok(model) => (true, Some(model), None),
        Err(failure) => (false, None, Some(failure)),
    };
    Ok(Json(ConfigTest { ok, latency_ms, model, error }))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Model {
    pub id: String,
}

/// List the models of a config's upstream
#[utoipa::path(
    get, path = "/configs/{id}/models", operation_id = "list_models", tag = "Configs", params(("id" = String, Path)),
    responses((status = 200, body = List<Model>), (status = 404, body = ErrorBody), (status = 502, body = ErrorBody))
)]
pub async fn models(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConfigId>,
) -> Result<Json<List<Model>>, ApiError> {
    let config = at(&app, &caller.project, &id).await?;
    let target = resolve(&config, &app.scheduler.settings().env_keys).map_err(refused)?;
    let models = app.scheduler.providers().models(&target).await.map_err(refused)?;
    Ok(Json(List { data: models.into_iter().map(|id| Model { id }).collect(), has_more: false, next: None }))
}

fn refused(failure: Failure) -> ApiError {
    ApiError::upstream(StatusCode::BAD_GATEWAY, failure.code.as_str(), failure.message)
}

/// Everything that a config has to be before it is stored.
fn change_of(app: &App, config: Config, key: Option<Option<SecretString>>) -> Result<ConfigChange, ApiError> {
    check::label(&config.name, "name", NAME_CHARS_MAX)?;
    check::ours(&config.params, "params")?;
    let invalid =
        |param: &str, message: String| ApiError::bad_request("invalid_value", message).param(param.to_owned());
    if !app.scheduler.providers().knows(&config.provider) {
        let known: Vec<&str> = provider::presets().iter().map(|preset| preset.name).collect();
        let message = format!("There is no provider of that name. Known are echo, {}.", known.join(", "));
        return Err(invalid("provider", message));
    }
    if config.model.is_empty() {
        return Err(invalid("model", "`model` is empty.".into()));
    }
    if config.base_url.is_some() && provider::preset(&config.provider).is_none() {
        let message = "calls no server. Leave `base_url` out, or take it away with null.";
        return Err(invalid("base_url", format!("Provider {} {message}", config.provider)));
    }
    let origin = match base_url(&config.provider, config.base_url.as_deref()) {
        None => None,
        Some(url) => Some(provider::origin(url).map_err(|bad| invalid("base_url", format!("`base_url` {bad}.")))?),
    };
    if let Some(Some(key)) = &key {
        if origin.is_none() {
            return Err(invalid("api_key", format!("Provider {} takes no `api_key`.", config.provider)));
        }
        let key = key.expose_secret();
        if key.trim().is_empty() || HeaderValue::from_str(key).is_err() {
            return Err(invalid(
                "api_key",
                "`api_key` is empty, or holds a character that no header can carry.".into(),
            ));
        }
    }
    if config.api_key_env.as_deref().is_some_and(|name| name.is_empty() || name.len() > 128) {
        return Err(invalid("api_key_env", "`api_key_env` names a variable.".into()));
    }
    check_numbers(&config.window, &config.timeouts, config.max_concurrency)?;
    Ok(ConfigChange { config, origin, key, make_default: false, titles: None })
}

fn check_numbers(window: &Window, timeouts: &Timeouts, max_concurrency: Option<u32>) -> Result<(), ApiError> {
    let bounded = |param: &str, value: u64, low: u64, high: u64| {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        let message = format!("`{param}` lies between {low} and {high}.");
        Err(ApiError::bad_request("invalid_value", message).param(param))
    };
    bounded("window.messages", window.messages.map_or(1, u64::from), 1, 1_000)?;
    bounded("window.tokens", window.tokens.map_or(100, u64::from), 100, 10_000_000)?;
    bounded("timeouts.connect_ms", timeouts.connect_ms, 1, DAY_MS)?;
    bounded("timeouts.first_token_ms", timeouts.first_token_ms, 1, DAY_MS)?;
    bounded("timeouts.between_tokens_ms", timeouts.between_tokens_ms, 1, DAY_MS)?;
    bounded("timeouts.turn_ms", timeouts.turn_ms, 1, DAY_MS)?;
    bounded("max_concurrency", max_concurrency.map_or(1, u64::from), 1, 100_000)
}

fn view(app: &App, stored: StoredConfig) -> ConfigView {
    let url = base_url(&stored.config.provider, stored.config.base_url.as_deref()).map(str::to_owned);
    let origin = url.as_deref().and_then(|url| provider::origin(url).ok());
    let env = &app.scheduler.settings().env_keys;
    let from_env = stored
        .config
        .api_key_env
        .as_deref()
        .zip(origin.as_deref())
        .is_some_and(|(name, origin)| env.allows(name, origin));
    let has_key = stored.has_key || from_env;
    ConfigView::new(stored, url, has_key)
}

async fn find(app: &App, project: &ProjectId, id: &ConfigId) -> Result<StoredConfig, ApiError> {
    let found = app.store().config(project.clone(), id.clone()).await?;
    found.ok_or_else(|| store::Error::ConfigNotFound.into())
}

async fn at(app: &App, project: &ProjectId, id: &ConfigId) -> Result<ConfigAt, ApiError> {
    let found = app.store().config_at(project.clone(), id.clone(), None).await?.filter(|config| !config.deleted);
    found.ok_or_else(|| store::Error::ConfigNotFound.into())
}
