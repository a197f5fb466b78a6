//! The routes, called in process: the real store in a directory of its own, and a scripted model.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]
#![expect(clippy::disallowed_methods, reason = "the tests' rim: here time and ids are made")]

mod anthropic;
mod chat;
mod events;
mod export;
mod openai;
mod openai_deletion;
mod openai_input;
mod openai_isolation;
mod providers;
mod refusals;
mod rig;
mod search;
mod sessions;
mod sign_in;
