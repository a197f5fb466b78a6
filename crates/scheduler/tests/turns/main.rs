//! The scheduler on the real store, with a scripted model: time is waited for at gates, never slept away.
#![expect(clippy::disallowed_methods, reason = "the tests' rim: here time and ids are made")]

mod aside;
mod attempts;
mod free;
mod free_walk;
mod lanes;
mod recovery;
mod rig;
mod stopping;
mod streams;
mod titles;
mod walk;
