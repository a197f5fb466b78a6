//! HTTP: what stands between a socket and the rest of Turnwise.

#![warn(clippy::unwrap_used, reason = "it would end somebody's turn")]

pub mod accept;
mod answer;
mod anthropic;
pub mod app;
mod attempts;
pub mod auth;
pub mod body;
mod check;
mod completion;
mod cookie;
pub mod docs_page;
pub mod error;
mod explain;
pub mod guard;
mod idempotency;
mod if_busy;
pub mod metrics;
mod openai;
mod page;
pub mod params;
mod refusal;
pub mod request_id;
pub mod rim;
pub mod router;
mod routes;
mod socket;
pub mod sse;
mod strict;
#[cfg(test)]
mod told;
pub mod web_page;
mod wire;
