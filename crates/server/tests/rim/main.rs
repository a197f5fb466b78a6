//! What stands between a socket and the handlers, tried from outside: in process where no socket is needed.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod accept;
mod body;
mod docs;
mod errors;
mod guard;
mod metrics;
mod params;
mod request_id;
mod sse;
mod support;
mod web_page;
