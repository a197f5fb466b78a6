//! What a session, a turn and a history are, and how they change.
//!
//! Pure: no await, no clock, no I/O. Decisions take `now` and ids as arguments and return data; `store` makes them
//! durable, `scheduler` acts on them.

#![warn(clippy::unwrap_used, reason = "it would end somebody's turn")]

mod words;

pub mod answer;
pub mod config;
pub mod event;
pub mod free;
pub mod history;
pub mod id;
pub mod lane;
pub mod message;
pub mod run;
pub mod search;
pub mod segment;
pub mod summary;
pub mod terms;
pub mod time;
pub mod title;
pub mod tokens;
pub mod turn;
pub mod window;
