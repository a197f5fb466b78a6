//! A fake chat-completions server, scripted request by request, for tests and benchmarks.
//!
//! ```no_run
//! # async fn example() {
//! use upstream::{Script, Step, Upstream};
//!
//! let upstream = Upstream::start().await;
//! upstream.respond(|request| match request.number {
//!     1 => Script::error(429, "rate_limit_exceeded", "slow down").header("retry-after", "1"),
//!     _ => Script::deltas(["Hel", "lo"]).at(1, Step::gate("half")),
//! });
//! // … point something at upstream.base_url() …
//! upstream.wait_at_gate("half", 1).await;
//! upstream.open("half");
//! upstream.wait_for_completed(2).await;
//! # }
//! ```
//!
//! It writes HTTP/1.1 to the socket by itself, because what it is for includes answers that no proper HTTP server
//! would let through. It knows nothing of Turnwise.

#![allow(
    clippy::disallowed_methods,
    reason = "a server of its own, for tests: it reads its own clock and starts its own tasks"
)]

mod answer;
mod connection;
mod gates;
mod gzip;
mod http1;
mod log;
mod render;
mod request;
mod script;
mod server;
mod split;
mod step;

pub use gzip::{gzip, gzip_bomb};
pub use log::{Exchange, Outcome};
pub use request::Request;
pub use script::Script;
pub use server::Upstream;
pub use step::Step;
