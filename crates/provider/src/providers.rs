//! The door to all upstreams: who is meant by a config, what is sent to them, and the call.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use session::{
    config::Timeouts,
    history::Prompt,
    turn::{
        Failure,
        FailureCode::{ConfigKeyMissing, UpstreamError, UpstreamRejected},
    },
};

use crate::{
    call::Call,
    client::{Client, Upstream, wire_words},
    echo::{self, Echo},
    failure::{Callee, Late, failure},
    format::Format,
    http::{
        connect::Connector,
        dial::{Dial, Tcp},
        pool::Pool,
    },
    openai::ChatCompletions,
    presets::{self, Preset},
    reply::Reply,
    scripted::{self, Scripted},
    url::{BadUrl, Base},
};

/// What may be set about all calls.
pub struct Settings {
    pub dial: Arc<dyn Dial>,
    /// Whether certificates are trusted that the system trusts.
    pub system_roots: bool,
    /// Certificates trusted besides.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long a connection rests for the next call. Upstreams close theirs after 5 s (uvicorn) to 75 s (nginx); a
    /// close is seen at once, and one that crosses a request on its way is made good (see `Upstream::ask`).
    pub rest: Duration,
    /// Connections that rest, to all upstreams.
    pub resting_max: usize,
    /// The longest event of a stream, and the longest answer of an upstream that does not stream.
    pub event_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            dial: Arc::new(Tcp::default()),
            system_roots: true,
            roots: Vec::new(),
            rest: Duration::from_secs(30),
            resting_max: 512,
            event_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// Where a call goes, and with which key: of a config, what concerns the upstream.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name of a format or preset, `echo`, or `scripted` in tests.
    pub provider: String,
    /// The preset's own unless another was given; a provider without an upstream has none.
    pub base: Option<Result<Arc<Base>, BadUrl>>,
    pub key: Option<SecretString>,
    pub timeouts: Timeouts,
}

impl Target {
    pub fn new(provider: &str, base_url: Option<&str>) -> Self {
        let base = presets::base_url(provider, base_url).map(|url| Base::parse(url).map(Arc::new));
        Target { provider: provider.to_owned(), base, key: None, timeouts: Timeouts::default() }
    }

    /// Of its base URL: what a key is bound to.
    pub fn origin(&self) -> Option<&str> {
        self.base.as_ref()?.as_ref().ok().map(|base| base.origin.as_str())
    }

    pub fn with_key(self, key: &str) -> Self {
        Target { key: Some(key.into()), ..self }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// All upstreams. Clones share their connections.
#[derive(Clone)]
pub struct Providers {
    client: Arc<Client>,
    scripted: Option<Scripted>,
}

enum Provider {
    Echo,
    Scripted(Scripted),
    Preset(&'static Preset),
}

const MODELS_BYTES_MAX: usize = 8 * 1024 * 1024;
const MODEL_CHARS_MAX: usize = 200;

impl Providers {
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let connector = Connector::new(settings.dial, settings.system_roots, &settings.roots)?;
        let pool = Pool::new(settings.rest, settings.resting_max);
        let client = Client { connector, pool, event_bytes_max: settings.event_bytes_max };
        Ok(Providers { client: Arc::new(client), scripted: None })
    }

    /// For tests: the provider `scripted` answers as `scripted` says. Other upstreams can be called as well, if they
    /// need no TLS.
    pub fn with_scripted(scripted: Scripted) -> Self {
        let settings = Settings { system_roots: false, ..Settings::default() };
        let providers = Self::new(settings).expect("nothing that can fail is set");
        Providers { scripted: Some(scripted), ..providers }
    }

    /// Whether a config may name this provider.
    pub fn knows(&self, provider: &str) -> bool {
        self.provider(provider).is_ok()
    }

    /// Exactly the body that `call` sends for this prompt, the same whenever it is asked for.
    pub fn body(&self, target: &Target, prompt: &Prompt) -> Result<Bytes, Failure> {
        Ok(match self.provider(&target.provider)? {
            Provider::Echo | Provider::Scripted(_) => ChatCompletions.body(&presets::PLAIN, prompt),
            Provider::Preset(preset) => preset.format.body(preset.quirks_at(&base(target)?.origin), prompt),
        })
    }

    /// One attempt. `body` is what `body` gave, and `model` the prompt's, for the words of a failure. Nothing is sent
    /// until the reply is asked for its first delta.
    pub fn call(&self, target: &Target, model: &str, body: Bytes) -> Reply {
        let provider = match self.provider(&target.provider) {
            Ok(provider) => provider,
            Err(failure) => return Reply::failed(failure),
        };
        match provider {
            Provider::Echo => Echo::new(&body).map_or_else(Reply::failed, Reply::echo),
            Provider::Scripted(scripted) => Reply::scripted(scripted.call(model, body)),
            Provider::Preset(preset) => match self.upstream(preset, target, model) {
                Ok(upstream) => Reply::call(Call::new(upstream, body)),
                Err(failure) => Reply::failed(failure),
            },
        }
    }

    /// The names of the models that the upstream offers, in alphabetical order.
    pub async fn models(&self, target: &Target) -> Result<Vec<String>, Failure> {
        let preset = match self.provider(&target.provider)? {
            Provider::Echo => return Ok(vec![echo::MODEL.to_owned()]),
            Provider::Scripted(_) => return Ok(vec![scripted::NAME.to_owned()]),
            Provider::Preset(preset) => preset,
        };
        let mut upstream = self.upstream(preset, target, "its models")?;
        upstream.callee.url = upstream.base.shown(preset.format.models_path());
        upstream.callee.own = false;
        let body = read(&upstream, upstream.format.models_path()).await?;
        let mut models = upstream.format.models(&body).ok_or_else(|| {
            failure(UpstreamError, format!("The upstream {} gave no list of models.", upstream.callee.host))
        })?;
        models.retain(|model| model.chars().count() <= MODEL_CHARS_MAX && !model.chars().any(char::is_control));
        models.sort();
        models.dedup();
        Ok(models)
    }

    fn provider(&self, name: &str) -> Result<Provider, Failure> {
        match (name, &self.scripted) {
            (echo::NAME, _) => Ok(Provider::Echo),
            (scripted::NAME, Some(scripted)) => Ok(Provider::Scripted(scripted.clone())),
            _ => presets::preset(name).map(Provider::Preset).ok_or_else(|| {
                let known: Vec<&str> = presets::presets().iter().map(|preset| preset.name).collect();
                let known = known.join(", ");
                failure(UpstreamRejected, format!("The provider {name:?} is not known. Known are echo, {known}."))
            }),
        }
    }

    fn upstream(&self, preset: &'static Preset, target: &Target, model: &str) -> Result<Upstream, Failure> {
        let base = base(target)?.clone();
        let own = preset.is_at(&base.origin);
        if own && !preset.key_env.is_empty() && target.key.is_none() {
            let host = base.authority();
            let message = format!("The upstream {host} needs a key, and this config has none. Set its api_key.");
            return Err(failure(ConfigKeyMissing, message));
        }
        let (format, quirks) = (preset.format, preset.quirks_at(&base.origin));
        let callee = Callee {
            host: base.authority().to_owned(),
            url: base.shown(&format.call_path(model)),
            model: model.chars().filter(|c| !c.is_control()).take(MODEL_CHARS_MAX).collect(),
            key: target.key.clone(),
            own,
        };
        let timeouts = target.timeouts;
        Ok(Upstream { client: self.client.clone(), base, callee, format, quirks, timeouts })
    }
}

fn base(target: &Target) -> Result<&Arc<Base>, Failure> {
    let bad = match &target.base {
        Some(Ok(base)) => return Ok(base),
        Some(Err(bad)) => bad.clone(),
        None => BadUrl::NONE,
    };
    Err(failure(UpstreamRejected, format!("This config's base_url {bad}.")))
}

/// A whole answer.
async fn read(upstream: &Upstream, path: &str) -> Result<Vec<u8>, Failure> {
    let mut answer = upstream.ask(Method::GET, path, Bytes::new()).await?;
    let mut body = Vec::new();
    let reading = async {
        while let Some(bytes) = answer.next().await {
            body.extend_from_slice(&bytes.map_err(|error| upstream.callee.broke_off(&wire_words(&error)))?);
            if body.len() > MODELS_BYTES_MAX {
                return Err(upstream.callee.too_long(MODELS_BYTES_MAX));
            }
        }
        Ok(())
    };
    let within = Duration::from_millis(upstream.timeouts.first_token_ms);
    let late = || upstream.callee.late(Late::FirstToken, upstream.timeouts.first_token_ms);
    tokio::time::timeout(within, reading).await.map_err(|_| late())??;
    Ok(body)
}
