//! TLS, and how each way it can fail is told. The certificates in `tests/tls` were made with `openssl` for these tests
//! alone: `root.pem` signed the two for `localhost`, whose key is `key.pem`.

use std::sync::Arc;

use provider::{CertificateDer, Providers, Settings};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use session::turn::FailureCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::helpers::*;

const ROOT: &[u8] = include_bytes!("../tls/root.pem");
const LOCALHOST: &[u8] = include_bytes!("../tls/localhost.pem");
const EXPIRED: &[u8] = include_bytes!("../tls/expired.pem");
const KEY: &[u8] = include_bytes!("../tls/key.pem");

fn certificate(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).unwrap()
}

fn trusting(roots: &[&[u8]]) -> Providers {
    let roots = roots.iter().map(|root| certificate(root)).collect();
    Providers::new(Settings { roots, ..settings() }).unwrap()
}

/// Answers every call on a port of 127.0.0.1.
async fn serve(pem: &[u8]) -> u16 {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate(pem)], PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let _ = socket.read(&mut [0; 4096]).await;
            let answer = ["HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &said("over TLS"), STOP, DONE].concat();
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
    });
    port
}

async fn told(providers: &Providers, url: &str) -> String {
    let failure = ask(providers, &target(url)).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamUnreachable, "{}", failure.message);
    failure.message
}

#[tokio::test]
async fn a_trusted_certificate_is_spoken_to() {
    let port = serve(LOCALHOST).await;
    let answer = ask(&trusting(&[ROOT]), &target(&format!("https://localhost:{port}"))).await;
    assert_eq!(answer.whole().text(), "over TLS");
}

#[tokio::test]
async fn a_bad_certificate_is_told_apart_from_others() {
    let (port, expired) = (serve(LOCALHOST).await, serve(EXPIRED).await);
    for (providers, url, says) in [
        (trusting(&[EXPIRED]), format!("https://localhost:{port}"), "its issuer is not trusted here"),
        (trusting(&[]), format!("https://localhost:{port}"), "this machine trusts no certificate at all"),
        (trusting(&[ROOT]), format!("https://127.0.0.1:{port}"), "it is for another name"),
        (trusting(&[ROOT]), format!("https://localhost:{expired}"), "it has expired"),
    ] {
        let message = told(&providers, &url).await;
        assert!(message.contains(&format!("bad certificate: {says}")), "{message}");
    }
}

#[tokio::test]
async fn tls_where_there_is_none_and_none_where_there_is() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", plain.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut socket, _) = plain.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let message = told(&trusting(&[ROOT]), &url).await;
    assert!(message.contains("does not speak TLS"), "{message}");
    let port = serve(LOCALHOST).await;
    let failure = ask(&trusting(&[ROOT]), &target(&format!("http://localhost:{port}"))).await.failed();
    assert!(failure.message.contains("not HTTP"), "{}", failure.message);
}

#[tokio::test]
async fn the_systems_roots_can_be_read() {
    assert!(Providers::new(Settings::default()).is_ok());
}
