//! Calls over real sockets: to the fake upstream, and to plain listeners where that is too proper.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: their tasks end with them")]

mod abuse;
mod connections;
mod deadlines;
mod helpers;
mod other;
mod refusals;
mod requests;
mod tls;
mod wire;
