//! What every storage engine has to do, told as stories. Each runs on every engine; a new engine is one line in
//! [`support::ENGINES`].

mod admission;
mod branches;
mod busy;
mod configs;
mod deletion;
mod events;
mod fence;
mod free;
mod free_and_lane;
mod free_recovery;
mod history;
mod idempotency;
mod input;
mod isolation;
mod keys;
mod lane;
mod paths;
mod recovery;
mod search;
mod sessions;
mod titles;
mod tool_calls;
mod turns;
mod writing;

mod support;
