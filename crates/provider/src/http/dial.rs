//! Opens the byte stream that a call runs on. A simulation brings a `Dial` of its own; TLS is put on top of either.

use std::{error::Error, io};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper::service::Service;
use hyper_util::{client::legacy::connect::HttpConnector, service::TowerToHyperService};
use tokio::io::{AsyncRead, AsyncWrite};

pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for T {}

pub trait Dial: Send + Sync + 'static {
    /// `host` is a name or an address, an IPv6 one without brackets. Dropping the future gives up.
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, Result<Box<dyn Socket>, DialError>>;
}

#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("name not found")]
    Name(#[source] io::Error),
    #[error("no connection")]
    Connect(#[source] io::Error),
}

/// The network: names resolved by the system, IPv6 and IPv4 tried side by side, `TCP_NODELAY`. Takes no proxy from the
/// environment: an upstream is called where its config says.
pub struct Tcp(TowerToHyperService<HttpConnector>);

impl Default for Tcp {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Tcp(TowerToHyperService::new(connector))
    }
}

impl Dial for Tcp {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, Result<Box<dyn Socket>, DialError>> {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let uri: Result<Uri, _> = format!("http://{host}:{port}").parse();
        let connector = self.0.clone();
        Box::pin(async move {
            let uri = uri.map_err(|e| DialError::Name(io::Error::new(io::ErrorKind::InvalidInput, e)))?;
            let socket = connector.call(uri).await.map_err(|e| told_apart(&e))?;
            Ok(Box::new(socket.into_inner()) as Box<dyn Socket>)
        })
    }
}

/// The system gives an error number for what happened on the wire, and none for a name it could not resolve.
fn told_apart(error: &(dyn Error + 'static)) -> DialError {
    match io_cause(error).and_then(|cause| cause.raw_os_error()) {
        Some(number) => DialError::Connect(io::Error::from_raw_os_error(number)),
        None => DialError::Name(io::Error::other(error.to_string())),
    }
}

/// The I/O error beneath an error, if there is one.
pub(crate) fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut error = Some(error);
    while let Some(at) = error {
        if let Some(io) = at.downcast_ref() {
            return Some(io);
        }
        error = at.source();
    }
    None
}
