//! From a base URL to a connection that takes requests: name, TCP, TLS, and why it may not come to be.

use std::{io, sync::Arc};

use rustls::{
    CertificateError, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio_rustls::TlsConnector;

use super::{
    connection::Connection,
    dial::{Dial, DialError, Socket},
};
use crate::url::Base;

/// Why there is no connection, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreachable(pub String);

pub(crate) struct Connector {
    dial: Arc<dyn Dial>,
    tls: TlsConnector,
    /// Whether any certificate can be trusted at all.
    rooted: bool,
}

impl Connector {
    /// Trusts what the system trusts, and `roots`.
    pub fn new(dial: Arc<dyn Dial>, native: bool, roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut store = RootCertStore::empty();
        if native {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for root in roots {
            store.add(root.clone())?;
        }
        let rooted = !store.is_empty();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Connector { dial, tls: Arc::new(config).into(), rooted })
    }

    pub async fn connect(&self, base: &Base) -> Result<Connection, Unreachable> {
        let tcp = self.dial.dial(&base.host, base.port).await.map_err(|error| not_dialled(&error))?;
        let socket: Box<dyn Socket> = if base.https {
            let name =
                ServerName::try_from(base.host.clone()).map_err(|_| Unreachable("its name is no host name".into()))?;
            let tls = self.tls.connect(name, tcp).await;
            Box::new(tls.map_err(|error| self.not_secured(&error))?)
        } else {
            tcp
        };
        Connection::open(socket).await.map_err(|error| Unreachable(error.to_string()))
    }

    fn not_secured(&self, error: &io::Error) -> Unreachable {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        Unreachable(match tls {
            Some(rustls::Error::InvalidCertificate(reason)) => format!("bad certificate: {}", self.distrusted(reason)),
            Some(rustls::Error::InvalidMessage(_)) => {
                "it does not speak TLS. Is it http:// instead of https://?".into()
            }
            Some(other) => format!("TLS failed: {other}"),
            None => format!("TLS failed: {}", io_words(error)),
        })
    }

    fn distrusted(&self, reason: &CertificateError) -> String {
        match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".into(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".into(),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name".into()
            }
            CertificateError::UnknownIssuer if !self.rooted => {
                "this machine trusts no certificate at all. Install its CA certificates".into()
            }
            CertificateError::UnknownIssuer => "its issuer is not trusted here".into(),
            CertificateError::Revoked => "it was revoked".into(),
            other => other.to_string(),
        }
    }
}

fn not_dialled(error: &DialError) -> Unreachable {
    Unreachable(match error {
        DialError::Name(_) => "its name was not found (DNS)".to_owned(),
        DialError::Connect(error) => io_words(error),
    })
}

/// What went wrong on the wire.
pub(crate) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused. Is it running?".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "it reset the connection".into()
        }
        io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no route to it".into(),
        io::ErrorKind::TimedOut => "the connection timed out".into(),
        _ => error.to_string(),
    }
}
