//! The first start: a config for every well-known key variable that is set, and `echo`, so that the first message
//! always gets an answer.

use scheduler::{Clock, EnvKeys};
use secrecy::SecretString;
use session::{config::Config, id::ProjectId};
use store::{ConfigChange, Store};

/// Keys in the environment: each may go to its preset's own origin, and to those that the operator lists.
pub fn env_keys(listed: &[(String, String)]) -> EnvKeys {
    let mut origins: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for preset in provider::presets() {
        for name in preset.key_env {
            origins.entry((*name).to_owned()).or_default().extend(provider::origin(preset.base_url));
        }
    }
    for (name, origin) in listed {
        origins.entry(name.clone()).or_default().push(origin.clone());
    }
    let mut keys = EnvKeys::default();
    for (name, origins) in origins {
        if let Some(value) = set(&name) {
            keys.insert(name, value, origins);
        }
    }
    keys
}

fn set(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).map(Into::into)
}

/// Makes the configs of a project that has none.
pub async fn configs(store: &Store, project: &ProjectId, clock: Clock) -> store::Result<()> {
    if !store.configs(project.clone()).await?.is_empty() {
        return Ok(());
    }
    for preset in provider::presets() {
        let variable = preset.key_env.iter().find(|name| set(name).is_some());
        if let (Some(variable), Some(model)) = (variable, preset.model) {
            let config = config(preset.name, preset.name, model, Some((*variable).to_owned()));
            make(store, project, config, provider::origin(preset.base_url).ok(), clock).await?;
            tracing::info!(config_id = preset.name, variable, "made a config for a key in the environment");
        }
    }
    make(store, project, config("echo", "echo", "echo", None), None, clock).await
}

fn config(name: &str, provider: &str, model: &str, api_key_env: Option<String>) -> Config {
    Config {
        name: name.to_owned(),
        provider: provider.to_owned(),
        base_url: None,
        api_key_env,
        model: model.to_owned(),
        system: None,
        params: Default::default(),
        window: Default::default(),
        timeouts: Default::default(),
        max_concurrency: None,
    }
}

async fn make(
    store: &Store,
    project: &ProjectId,
    config: Config,
    origin: Option<String>,
    clock: Clock,
) -> store::Result<()> {
    let id =
        config.name.parse().map_err(|_| store::Error::Failed(format!("a preset's name is no id: {}", config.name)))?;
    let change = ConfigChange { config, origin, key: None, make_default: false, titles: None };
    store.create_config(project.clone(), id, change, None, clock.now()).await?;
    Ok(())
}
