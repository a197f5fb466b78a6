//! Who calls. Without any API key the server is open to its own machine and everything belongs to one project; from
//! the first key on, every request but the public ones carries one.

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
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use session::id::{KeyId, ProjectId};
use sha2::{Digest, Sha256};
use store::{ApiKey, Store};
use tokio::time::Instant;

use crate::{app::App, error::ApiError};

/// The project of a server without keys.
pub const DEFAULT_PROJECT: &str = "default";
/// What every key begins with, so that a leaked one is recognised.
pub const KEY_PREFIX: &str = "tw_";

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
    known: Mutex<HashMap<[u8; 32], (Instant, Caller)>>,
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

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Instant, Caller)>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        if !self.required() {
            return Ok(Caller { project: default_project(), name: "local".into() });
        }
        let key = bearer(headers)?;
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if let Some((seen, caller)) = self.known().get(&hash)
            && seen.elapsed() < REMEMBERED
        {
            return Ok(caller.clone());
        }
        let Some(ApiKey { project, id, .. }) = self.0.store.key_by_hash(hash).await? else {
            self.known().remove(&hash);
            let message = "This API key is unknown or revoked. `turnwise keys create` makes one.";
            return Err(ApiError::unauthorized("invalid_api_key", message));
        };
        let caller = Caller { project, name: name_of(&id) };
        let mut known = self.known();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, (Instant::now(), caller.clone()));
        Ok(caller)
    }
}

fn name_of(id: &KeyId) -> String {
    id.to_string()
}

pub fn default_project() -> ProjectId {
    DEFAULT_PROJECT.parse().expect("a constant that is well formed")
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || {
        let message = "This server wants an API key: send the header Authorization: Bearer tw_….";
        ApiError::unauthorized("api_key_required", message)
    };
    let value = headers.get(AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, key) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(missing()) }
}

/// Stands before every route that is not public.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let caller = app.auth.caller(request.headers()).await?;
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
