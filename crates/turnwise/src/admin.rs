//! The door for the machine's own operator: a socket of mode 0600 in the data directory, through which `keys` and
//! `doctor` reach a running server.

use std::{os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, bail};
use axum::{
    Json, Router,
    extract::{Path as UrlPath, State},
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use scheduler::Scheduler;
use serde::{Serialize, de::DeserializeOwned};
use server::{auth::Auth, error::ApiError};
use session::id::KeyId;
use store::ApiKey;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::{
    doctor::{self, Finding},
    keys::{self, CreateRequest, Created},
};

const SOCKET: &str = "admin.sock";

#[derive(Clone)]
struct Admin {
    scheduler: Scheduler,
    auth: Auth,
}

/// The socket, to be served; whoever connects before that waits.
pub fn bind(data: &Path) -> anyhow::Result<UnixListener> {
    let path = data.join(SOCKET);
    // A socket left by a crash; that nobody serves it is sure, since we hold the lock.
    let _ = std::fs::remove_file(&path);
    let listener = Short::of(data)
        .and_then(|short| UnixListener::bind(short.path()))
        .with_context(|| format!("admin socket {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The socket's address by way of an open directory: the system takes no more than 107 bytes of one, and a data
/// directory may be deeper than that.
struct Short(std::fs::File);

impl Short {
    fn of(data: &Path) -> std::io::Result<Short> {
        std::fs::File::open(data).map(Short)
    }

    fn path(&self) -> std::path::PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}/{SOCKET}", self.0.as_raw_fd()).into()
    }
}

pub async fn serve(
    listener: UnixListener,
    data: &Path,
    scheduler: Scheduler,
    auth: Auth,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/keys", post(create).get(list))
        .route("/keys/{id}/revoke", post(revoke))
        .route("/doctor", get(examine))
        .with_state(Admin { scheduler, auth });
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await?;
    let _ = std::fs::remove_file(data.join(SOCKET));
    Ok(())
}

async fn create(State(admin): State<Admin>, Json(request): Json<CreateRequest>) -> Result<Json<Created>, ApiError> {
    let created = keys::create(admin.scheduler.store(), request).await?;
    admin.auth.keys_changed().await?;
    Ok(Json(created))
}

async fn list(State(admin): State<Admin>) -> Result<Json<Vec<ApiKey>>, ApiError> {
    Ok(Json(admin.scheduler.store().keys().await?))
}

async fn revoke(State(admin): State<Admin>, UrlPath(id): UrlPath<KeyId>) -> Result<Json<()>, ApiError> {
    admin.scheduler.store().revoke_key(id, admin.scheduler.clock().now()).await?;
    admin.auth.keys_changed().await?;
    Ok(Json(()))
}

async fn examine(State(admin): State<Admin>) -> Json<Vec<Finding>> {
    Json(doctor::upstreams(&admin.scheduler).await)
}

/// A running server's admin socket; `None` when no server runs on this data directory.
pub async fn connect(data: &Path) -> anyhow::Result<Option<Client>> {
    let Ok(short) = Short::of(data) else { return Ok(None) };
    match UnixStream::connect(short.path()).await {
        Ok(stream) => {
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            Ok(Some(Client { sender, connection: Box::pin(async move { connection.await.map_err(Into::into) }) }))
        }
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) => Err(error).context("the running server's admin socket"),
    }
}

pub struct Client {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    connection: std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>,
}

impl Client {
    pub async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> anyhow::Result<T> {
        let json = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(json)))?;
        let answer = async {
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = tokio::select! {
            answer = answer => answer?,
            ended = &mut self.connection => {
                ended?;
                bail!("the server closed its admin socket");
            }
        };
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        let error: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        bail!("{}", error["error"]["message"].as_str().unwrap_or("the server refused"))
    }
}
