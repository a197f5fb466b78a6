//! Who calls. Without any API key the server is open to its own machine and everything belongs to one project; from
//! the first key on, every request but the public ones carries one, or the cookie of a sign-in with one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use session::{
    id::{KeyId, ProjectId},
    time::Time,
};
use sha2::{Digest, Sha256};
use store::{ApiKey, SignIn, Store};
use tokio::time::Instant;

use crate::{app::App, cookie, error::ApiError};

/// The project of a server without keys.
pub const DEFAULT_PROJECT: &str = "default";
/// What every key begins with, so that a leaked one is recognised.
pub const KEY_PREFIX: &str = "tw_";

/// Where Anthropic's clients put their key.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A revoked key works no longer than this.
const REMEMBERED: Duration = Duration::from_secs(5);
const REMEMBERED_MAX: usize = 10_000;

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub project: ProjectId,
    /// Who, within the project: the scope of idempotency keys.
    pub name: String,
}

#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    store: Store,
    required: AtomicBool,
    known: Mutex<HashMap<Shown, (Instant, Caller)>>,
}

/// What a request shows of whom it is from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shown {
    /// The hash of a key.
    Key([u8; 32]),
    /// The cookie of a sign-in with that key.
    SignIn(KeyId),
}

impl Auth {
    pub async fn new(store: Store) -> store::Result<Auth> {
        let auth = Auth(Arc::new(Inner { store, required: AtomicBool::new(false), known: Mutex::default() }));
        auth.keys_changed().await?;
        Ok(auth)
    }

    /// Whether requests need a key.
    pub fn required(&self) -> bool {
        self.0.required.load(Relaxed)
    }

    /// Looks again which keys there are. Revoking the last one does not open the server.
    pub async fn keys_changed(&self) -> store::Result<()> {
        let any = !self.0.store.keys().await?.is_empty();
        self.0.required.store(any, Relaxed);
        self.known().clear();
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Shown, (Instant, Caller)>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By a header, or else by the cookie of a sign-in.
    pub(crate) async fn caller(&self, headers: &HeaderMap, now: Time) -> Result<Caller, ApiError> {
        if !self.required() {
            return Ok(Caller { project: default_project(), name: "local".into() });
        }
        let shown = match (headers.get(AUTHORIZATION), headers.get(X_API_KEY)) {
            (Some(header), _) => Shown::Key(hash_of(bearer(header)?)),
            (None, Some(header)) => Shown::Key(hash_of(header.to_str().map_err(|_| unknown())?.trim())),
            (None, None) => {
                let sign_in = cookie::read(headers, &self.0.store).filter(|sign_in| sign_in.until > now);
                Shown::SignIn(sign_in.ok_or_else(missing)?.key)
            }
        };
        if let Some((seen, caller)) = self.known().get(&shown)
            && seen.elapsed() < REMEMBERED
        {
            return Ok(caller.clone());
        }
        let found = match &shown {
            Shown::Key(hash) => self.0.store.key_by_hash(*hash).await?,
            Shown::SignIn(key) => self.0.store.key(key.clone()).await?,
        };
        let Some(ApiKey { project, id, .. }) = found else {
            self.known().remove(&shown);
            return Err(unknown());
        };
        let caller = Caller { project, name: name_of(&id) };
        let mut known = self.known();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(shown, (Instant::now(), caller.clone()));
        Ok(caller)
    }

    /// The text of a cookie that stands for this key until then.
    pub(crate) async fn sign_in(&self, key: &SecretString, until: Time) -> Result<String, ApiError> {
        let key = self.0.store.key_by_hash(hash_of(key.expose_secret().trim())).await?.ok_or_else(unknown)?.id;
        Ok(self.0.store.seal_sign_in(&SignIn { key, until }))
    }
}

fn hash_of(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn name_of(id: &KeyId) -> String {
    id.to_string()
}

pub fn default_project() -> ProjectId {
    DEFAULT_PROJECT.parse().expect("a constant that is well formed")
}

fn missing() -> ApiError {
    let message =
        "This server wants an API key: send the header Authorization: Bearer tw_…, or sign in with POST /sign-in.";
    ApiError::unauthorized("api_key_required", message)
}

fn unknown() -> ApiError {
    let message = "This API key is unknown or revoked. `turnwise keys create` makes one.";
    ApiError::unauthorized("invalid_api_key", message)
}

fn bearer(header: &HeaderValue) -> Result<&str, ApiError> {
    let (scheme, key) = header.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(missing()) }
}

/// Stands before every route that is not public.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let caller = app.auth.caller(request.headers(), app.clock().now()).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| ApiError::internal("a route that wants a caller stands outside of authentication"))
    }
}
