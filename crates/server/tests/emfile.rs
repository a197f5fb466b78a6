//! A server without file descriptors waits for some. Alone in its process: the limit is the process's.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use prometheus_client::metrics::gauge::Gauge;
use server::accept::{Accept, Stop};

#[test]
fn a_server_out_of_file_descriptors_serves_again_when_it_has_some() {
    let logged = watch_log();
    limit_files(200);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = Stop::default();
    let router = Router::new().route("/", get(|| async { "ok" }));
    let task = runtime.spawn(Accept::default().serve(listener, router, stop.clone(), Gauge::default()));

    let mut hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    hoard.pop();
    let mut client = TcpStream::connect(addr).unwrap();
    assert!(logged.recv_timeout(Duration::from_secs(20)).unwrap().contains("cannot accept connections"));
    assert!(logged.recv_timeout(Duration::from_millis(350)).is_err(), "logged once, not at every attempt");

    drop(hoard);
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok"), "{answer}");
    stop.soft.cancel();
    runtime.block_on(task).unwrap();
}

fn limit_files(files: u64) {
    let limit = libc::rlimit { rlim_cur: files, rlim_max: files };
    // SAFETY: the pointer is to a live struct, and the call keeps nothing of it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
}

fn watch_log() -> mpsc::Receiver<String> {
    let (lines, logged) = mpsc::channel();
    let writer = move || Lines(lines.clone());
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(writer).init();
    logged
}

struct Lines(mpsc::Sender<String>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let _over = self.0.send(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
