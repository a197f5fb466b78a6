//! One tiny call to a config's upstream, to see whether it works.

use std::time::Duration;

use provider::Providers;
use session::{
    event::Delta,
    history,
    message::Message,
    turn::{Failure, FailureCode, Options},
};
use store::ConfigAt;

use crate::target::{self, EnvKeys};

/// A trial takes no longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tokens asked for: enough that no upstream finds it too few.
const TOKENS: u64 = 16;

/// The model that answered, by the upstream's word; or what is wrong, and what to do.
pub async fn try_config(providers: &Providers, env_keys: &EnvKeys, config: &ConfigAt) -> Result<String, Failure> {
    tokio::time::timeout(PATIENCE, call_once(providers, env_keys, config)).await.unwrap_or_else(|_| {
        let message = format!("The upstream said nothing within {} s.", PATIENCE.as_secs());
        Err(Failure::new(FailureCode::UpstreamTimeout, message))
    })
}

async fn call_once(providers: &Providers, env_keys: &EnvKeys, config: &ConfigAt) -> Result<String, Failure> {
    let target = target::resolve(config, env_keys)?;
    let options = Options { max_tokens: Some(TOKENS), ..Options::default() };
    let prompt = history::assemble(&config.config, None, &options, Vec::new(), vec![Message::user("Say: ok")]);
    let body = providers.body(&target, &prompt)?;
    let mut reply = providers.call(&target, &prompt.model, body);
    let mut model = prompt.model;
    while let Some(delta) = reply.next().await {
        match delta? {
            Delta::Model(named) => model = named,
            Delta::Text(_) | Delta::Reasoning { .. } | Delta::Refusal(_) | Delta::ToolCall { .. } => break,
            Delta::Usage(_) | Delta::Finish(_) => {}
        }
    }
    Ok(model)
}
