//! Settings: a flag stands above its `TURNWISE_…` variable, that above the file, that above the default. Parsed once;
//! unknown keys of the file are refused with the nearest known one named.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use scheduler::Durability;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use server::{
    accept::Accept,
    app::{Bounds, Dialect},
    body::Limits,
};
use store::Retention;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityOption {
    /// Events are shown at once; after a crash, up to 250 ms of them may be taken back, and it is said so.
    Relaxed,
    /// Events are shown once they are stored.
    Strict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponsesOption {
    /// OpenAI's own API.
    Openai,
    /// The Open Responses specification.
    OpenResponses,
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $of:ty [$env:literal]),+ $(,)?) => {
        /// Every setting, given or not. The same names, with dashes for underscores, are the flags.
        #[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Options {
            /// A TOML file with settings [default: turnwise.toml, if there is one]
            #[arg(long, env = "TURNWISE_CONFIG", value_name = "FILE", global = true)]
            #[serde(skip)]
            pub config: Option<PathBuf>,
            $(
                $(#[$doc])*
                #[arg(long, env = $env, global = true)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$of>,
            )+
        }

        impl Options {
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// What is given here, else what `below` gives.
            fn or(self, below: Options) -> Options {
                Options { config: self.config, $($name: self.$name.or(below.$name)),+ }
            }
        }
    };
}

/// A list of words: separated by commas on the command line and in a variable, a list in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Words(pub Vec<String>);

impl std::str::FromStr for Words {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Words(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Words)
    }
}

options! {
    /// Where to listen [default: 127.0.0.1:8377]
    listen: SocketAddr ["TURNWISE_LISTEN"],
    /// The data directory [default: ./turnwise-data]
    data: PathBuf ["TURNWISE_DATA"],
    /// Names besides localhost that requests may name as their host
    allowed_hosts: Words ["TURNWISE_ALLOWED_HOSTS"],
    /// Other origins whose pages may call the API
    allowed_origins: Words ["TURNWISE_ALLOWED_ORIGINS"],
    /// Key variables and the origins that their keys may be sent to besides their preset's: NAME=https://host,…
    env_keys: Words ["TURNWISE_ENV_KEYS"],
    /// What is logged [default: info]
    log: String ["TURNWISE_LOG"],
    /// How it is logged [default: text]
    log_format: LogFormat ["TURNWISE_LOG_FORMAT"],
    /// When events are shown [default: relaxed]
    durability: DurabilityOption ["TURNWISE_DURABILITY"],
    /// Whose names the events of /v1/responses have, where they differ [default: openai]
    responses: ResponsesOption ["TURNWISE_RESPONSES"],
    /// Turns that may wait in one session [default: 32]
    queue_max: u32 ["TURNWISE_QUEUE_MAX"],
    /// How long a session waits for tool results, in milliseconds [default: 60000]
    tool_wait_ms: u32 ["TURNWISE_TOOL_WAIT_MS"],
    /// Upstream calls for one turn [default: 3]
    attempts_max: u32 ["TURNWISE_ATTEMPTS_MAX"],
    /// The wait before the second upstream call, in milliseconds; it doubles with each [default: 500]
    backoff_ms: u32 ["TURNWISE_BACKOFF_MS"],
    /// The longest answer, in bytes [default: 4194304]
    answer_bytes_max: u32 ["TURNWISE_ANSWER_BYTES_MAX"],
    /// The largest request body, in bytes [default: 8388608]
    body_bytes_max: u32 ["TURNWISE_BODY_BYTES_MAX"],
    /// The largest message, in bytes [default: 4194304]
    message_bytes_max: u32 ["TURNWISE_MESSAGE_BYTES_MAX"],
    /// Client connections at once [default: 16384]
    connections_max: u32 ["TURNWISE_CONNECTIONS_MAX"],
    /// How long running turns may go on after a signal to stop, in milliseconds [default: 20000]
    shutdown_ms: u32 ["TURNWISE_SHUTDOWN_MS"],
    /// How long the event log of an ended turn is kept, in hours [default: 24]
    events_hours: u32 ["TURNWISE_EVENTS_HOURS"],
    /// How long idempotency keys are kept, in hours [default: 24]
    idempotency_hours: u32 ["TURNWISE_IDEMPOTENCY_HOURS"],
    /// How long a deleted session can be restored, in days [default: 30]
    deleted_days: u32 ["TURNWISE_DELETED_DAYS"],
    /// The key that upstream keys are sealed with, 32 bytes in base64 [default: secret.key in the data directory]
    secret_key: Secret ["TURNWISE_SECRET_KEY"],
}

/// Never printed.
#[derive(Debug, Clone, Deserialize)]
pub struct Secret(pub SecretString);

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Secret(text.into()))
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}

/// Settings with every default filled in, a struct per concern.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As given, for `turnwise config`.
    effective: Options,
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub allowed_hosts: Vec<String>,
    pub allowed_origins: Vec<String>,
    pub env_keys: Vec<(String, String)>,
    pub log: String,
    pub log_format: LogFormat,
    pub secret_key: Option<SecretString>,
    pub turns: scheduler::Settings,
    pub accept: Accept,
    pub limits: Limits,
    pub bounds: Bounds,
    pub dialect: Dialect,
    pub retention: Retention,
    pub shutdown: Duration,
}

impl Options {
    pub fn resolve(self) -> anyhow::Result<Settings> {
        let below = read_file(self.config.as_deref())?;
        let given = self.or(below).or(defaults());
        let hours = |hours: Option<u32>| i64::from(hours.unwrap_or_default()) * 3_600_000;
        let env_keys = given.env_keys.iter().flat_map(|words| &words.0).map(|word| {
            let (name, origin) =
                word.split_once('=').with_context(|| format!("env_keys: {word:?} is not NAME=origin"))?;
            let origin =
                provider::origin(origin).map_err(|bad| anyhow::anyhow!("env_keys: {word:?}: the origin {bad}"))?;
            Ok((name.to_owned(), origin))
        });
        let env_keys = env_keys.collect::<anyhow::Result<Vec<_>>>()?;
        let usize_of = |n: Option<u32>| n.unwrap_or_default() as usize;
        let turns = scheduler::Settings {
            queue_max: given.queue_max.unwrap_or_default(),
            hold_ms: given.tool_wait_ms.unwrap_or_default().into(),
            durability: match given.durability {
                Some(DurabilityOption::Strict) => Durability::Strict,
                _ => Durability::Relaxed,
            },
            limits: session::run::Limits {
                attempts_max: given.attempts_max.unwrap_or_default().max(1),
                backoff_ms: given.backoff_ms.unwrap_or_default().into(),
                answer_bytes_max: usize_of(given.answer_bytes_max),
                ..Default::default()
            },
            ..Default::default()
        };
        Ok(Settings {
            listen: given.listen.context("listen has a default")?,
            data: given.data.clone().context("data has a default")?,
            allowed_hosts: given.allowed_hosts.clone().unwrap_or_default().0,
            allowed_origins: given.allowed_origins.clone().unwrap_or_default().0,
            env_keys,
            log: given.log.clone().unwrap_or_default(),
            log_format: given.log_format.unwrap_or(LogFormat::Text),
            secret_key: given.secret_key.clone().map(|Secret(key)| key),
            turns,
            accept: Accept { connections_max: usize_of(given.connections_max), ..Accept::default() },
            limits: Limits { body_bytes_max: usize_of(given.body_bytes_max), ..Limits::default() },
            bounds: Bounds { message_bytes_max: usize_of(given.message_bytes_max), ..Bounds::default() },
            dialect: match given.responses {
                Some(ResponsesOption::OpenResponses) => Dialect::OpenResponses,
                _ => Dialect::OpenAi,
            },
            retention: Retention {
                events_ms: hours(given.events_hours),
                idempotency_ms: hours(given.idempotency_hours),
                deleted_ms: hours(given.deleted_days) * 24,
            },
            shutdown: Duration::from_millis(given.shutdown_ms.unwrap_or_default().into()),
            effective: given,
        })
    }
}

impl Settings {
    pub fn print(&self) -> anyhow::Result<()> {
        print!("{}", toml::to_string(&self.effective)?);
        Ok(())
    }
}

fn defaults() -> Options {
    Options {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 8377))),
        data: Some("./turnwise-data".into()),
        log: Some("info".into()),
        log_format: Some(LogFormat::Text),
        durability: Some(DurabilityOption::Relaxed),
        responses: Some(ResponsesOption::Openai),
        queue_max: Some(32),
        tool_wait_ms: Some(60_000),
        attempts_max: Some(3),
        backoff_ms: Some(500),
        answer_bytes_max: Some(4 << 20),
        body_bytes_max: Some(8 << 20),
        message_bytes_max: Some(4 << 20),
        connections_max: Some(16_384),
        shutdown_ms: Some(20_000),
        events_hours: Some(24),
        idempotency_hours: Some(24),
        deleted_days: Some(30),
        ..Options::default()
    }
}

fn read_file(named: Option<&std::path::Path>) -> anyhow::Result<Options> {
    let path = named.unwrap_or("turnwise.toml".as_ref());
    if named.is_none() && !path.exists() {
        return Ok(Options::default());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("settings file {}", path.display()))?;
    match toml::from_str(&text) {
        Ok(options) => Ok(options),
        Err(error) => bail!("settings file {}: {}", path.display(), explain(&error)),
    }
}

fn explain(error: &toml::de::Error) -> String {
    let unknown = error.message().strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let Some(unknown) = unknown else { return error.to_string() };
    let near = Options::NAMES
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown)));
    format!("there is no setting `{unknown}`; the nearest is `{}`", near.unwrap_or(&"listen"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let error = toml::from_str::<Options>("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert_eq!(explain(&error), "there is no setting `lisen`; the nearest is `listen`");
    }

    #[test]
    fn the_secret_key_is_not_printed() {
        let options = Options { secret_key: Some(Secret("hush".into())), ..Options::default() };
        let text = toml::to_string(&options).unwrap();
        assert!(!text.contains("hush"));
        assert!(!format!("{options:?}").contains("hush"));
    }

    #[test]
    fn a_flag_stands_above_the_file_and_the_file_above_the_default() {
        let file: Options =
            toml::from_str("queue_max = 5\nallowed_hosts = [\"chat.example\"]\nlog = \"warn\"").unwrap();
        let given = Options { log: Some("debug".into()), ..Options::default() }.or(file).or(defaults());
        assert_eq!((given.queue_max, given.log.as_deref(), given.shutdown_ms), (Some(5), Some("debug"), Some(20_000)));
        assert_eq!(given.allowed_hosts.unwrap().0, ["chat.example"]);
    }
}
