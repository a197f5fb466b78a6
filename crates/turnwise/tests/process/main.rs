//! The binary as its users meet it: real processes, real sockets, real `kill -9`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: their tasks end with them")]

mod bad_input;
mod chains;
mod completions;
mod crash;
mod descriptors;
mod disk_broken;
mod disk_full;
mod feed;
mod idempotency;
mod keys;
mod lanes;
mod openai;
mod openai_deletion;
mod openai_promises;
mod openai_sdk;
mod operating;
mod order;
mod search;
mod starting;
mod stopping;
mod streams;
mod support;
mod titles;
mod tools;
mod tree;
mod upstreams;
