//! What the tests stand on: a server process, a client, a fake upstream, and waiting for things to happen.

mod client;
mod home;
mod lab;
mod server;
mod sse;
mod wait;

pub use client::{Answer, Client};
pub use home::Home;
pub use lab::{Lab, said, turn_id};
pub use server::{Server, Setup};
pub use sse::{Event, Stream, bytes, text};
pub use wait::{eventually, soon, within};

/// Whether the tests run at length (`make test-long`).
pub fn at_length() -> bool {
    std::env::var_os("TURNWISE_TEST_LONG").is_some()
}
