//! Where a config's calls go, and with which key. A key goes to the origin that it was given for and to no other.

use std::collections::HashMap;

use provider::Target;
use secrecy::SecretString;
use session::{
    config::Config,
    turn::{Failure, FailureCode},
};
use store::ConfigAt;

/// Keys in the server's environment, each with the origins that the operator lets it be sent to.
#[derive(Debug, Clone, Default)]
pub struct EnvKeys(HashMap<String, EnvKey>);

#[derive(Debug, Clone)]
struct EnvKey {
    secret: SecretString,
    origins: Vec<String>,
}

impl EnvKeys {
    pub fn insert(&mut self, variable: String, secret: SecretString, origins: Vec<String>) {
        self.0.insert(variable, EnvKey { secret, origins });
    }

    /// Whether a variable is set and may be used for this origin.
    pub fn allows(&self, variable: &str, origin: &str) -> bool {
        self.0.get(variable).is_some_and(|key| key.origins.iter().any(|allowed| allowed == origin))
    }

    fn get(&self, variable: &str, origin: &str) -> Option<&SecretString> {
        self.0.get(variable).filter(|_| self.allows(variable, origin)).map(|key| &key.secret)
    }
}

/// The upstream of a config. Fails when its key is missing and its upstream wants one.
pub fn resolve(config: &ConfigAt, env: &EnvKeys) -> Result<Target, Failure> {
    let body = &config.config;
    let target = Target::new(&body.provider, body.base_url.as_deref());
    let origin = target.origin();
    let own = config.key.as_ref().filter(|key| Some(key.origin.as_str()) == origin).map(|key| key.secret.clone());
    let variable = body.api_key_env.as_deref();
    let key = own.or_else(|| variable.zip(origin).and_then(|(name, origin)| env.get(name, origin).cloned()));
    if config.key_lost || key.is_none() && (config.key.is_some() || variable.is_some() || wants_key(body, origin)) {
        return Err(missing(config, variable, origin));
    }
    Ok(Target { key, timeouts: body.timeouts, ..target })
}

/// A preset's own server wants a key; another server that speaks the same format may not.
fn wants_key(config: &Config, origin: Option<&str>) -> bool {
    provider::preset(&config.provider)
        .is_some_and(|preset| !preset.key_env.is_empty() && origin.is_some_and(|origin| preset.is_at(origin)))
}

fn missing(config: &ConfigAt, variable: Option<&str>, origin: Option<&str>) -> Failure {
    let origin = origin.unwrap_or("its upstream");
    let why = match variable {
        _ if config.key_lost => "its stored key does not open: the data directory's secret.key is another one".into(),
        Some(name) => format!("the server's variable {name} is not set, or not allowed for {origin}"),
        None => format!("it has no key for {origin}"),
    };
    let id = &config.id;
    let message =
        format!("Config {id} cannot be used: {why}. Give it one: PATCH /configs/{id} with {{\"api_key\": \"…\"}}.");
    Failure::new(FailureCode::ConfigKeyMissing, message)
}
