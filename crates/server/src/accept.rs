//! The accept loop. `axum::serve` gives hyper no timer, so that its header timeout never fires and a thousand silent
//! connections cost an attacker nothing; this one bounds every wait and every connection.
//!
//! A connection's story: a permit → its first byte → heads and answers, each head within `header_timeout` (which
//! thereby bounds keep-alive silence too) → its end, by either side, by `stop.soft` after the present answer, or by
//! `stop.hard` at once.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::socket::Socket;

#[derive(Clone, Debug)]
pub struct Accept {
    /// `connections_max`, default 16384. When they are taken, others wait in the kernel's queue.
    pub connections_max: usize,
    /// `first_byte_timeout`, default 10 s: a fresh connection that says nothing is closed.
    pub first_byte_timeout: Duration,
    /// `header_timeout`, default 30 s, from when the connection is free for a head to the head's end.
    pub header_timeout: Duration,
    /// `write_timeout`, default 60 s: a peer that takes no byte for so long is gone.
    pub write_timeout: Duration,
    /// `header_bytes_max`, default 32 KiB for the whole head; more is a 431.
    pub header_bytes_max: usize,
    /// `headers_max`, default 100; more is a 431.
    pub headers_max: usize,
}

impl Default for Accept {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            first_byte_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            header_bytes_max: 32 << 10,
            headers_max: 100,
        }
    }
}

/// `soft` ends the loop and each connection after its present answer; event streams watch a token of their own.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    pub soft: CancellationToken,
    pub hard: CancellationToken,
}

/// In the request's extensions: whom the connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What every connection needs.
struct Shared {
    router: Router,
    http: http1::Builder,
    settings: Accept,
    stop: Stop,
}

impl Accept {
    /// Runs until `stop` says so and the last connection has ended. `open` follows the number of connections.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: Stop, open: Gauge) {
        let room = Arc::new(Semaphore::new(self.connections_max));
        let tasks = TaskTracker::new();
        let shared = Arc::new(Shared { router, http: self.http(), settings: self, stop: stop.clone() });
        loop {
            let (stream, peer, permit) = tokio::select! {
                biased;
                () = stop.soft.cancelled() => break,
                () = stop.hard.cancelled() => break,
                accepted = next(&listener, &room) => accepted,
            };
            let counted = Counted::new(open.clone(), permit);
            let shared = shared.clone();
            tasks.spawn(async move {
                let hard = shared.stop.hard.clone();
                tokio::select! {
                    biased;
                    () = hard.cancelled() => {}
                    () = shared.connection(stream, peer) => {}
                }
                drop(counted);
            });
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_header_size(self.header_bytes_max)
            .max_buf_size(self.header_bytes_max.max(64 << 10));
        // Named only when it differs: with hyper's own 100 the headers are parsed on the stack.
        if self.headers_max != 100 {
            http.max_headers(self.headers_max);
        }
        http
    }
}

/// The next connection, once there is room for it.
async fn next(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let mut failing = false;
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { std::future::pending().await };
        let error = match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => error,
        };
        let Some(wait) = backoff(&error) else { continue };
        if !failing {
            tracing::error!(%error, "cannot accept connections, trying on; raise the limit on open files if it says so");
            failing = true;
        }
        tokio::time::sleep(wait).await;
    }
}

/// `None` for what concerns one connection only. The rest (no descriptors, no memory) stays true for a while, and the
/// connection stays in the queue, so that trying at once would spin.
fn backoff(error: &io::Error) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted => None,
        _ => Some(Duration::from_millis(100)),
    }
}

impl Shared {
    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let spoke = tokio::select! {
            () = self.stop.soft.cancelled() => false,
            spoke = first_byte(&stream, self.settings.first_byte_timeout) => spoke,
        };
        if !spoke {
            return;
        }
        // Without it each event would wait for the acknowledgement of the one before. Fails only on a dead socket.
        let _dead_anyway = stream.set_nodelay(true);

        let service = service_fn(|mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            self.router.clone().call(request)
        });
        let io = TokioIo::new(Socket::new(stream, self.settings.write_timeout));
        let mut connection = pin!(self.http.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.soft.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // Clients leave, stall and send nonsense all day: nothing of it is a fault of ours.
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "connection ended");
        }
    }
}

async fn first_byte(stream: &TcpStream, within: Duration) -> bool {
    let peeked = tokio::time::timeout(within, stream.peek(&mut [0])).await;
    matches!(peeked, Ok(Ok(1)))
}

/// One open connection, until dropped.
struct Counted {
    open: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Counted {
    fn new(open: Gauge, permit: OwnedSemaphorePermit) -> Self {
        open.inc();
        Self { open, _permit: permit }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.dec();
    }
}
