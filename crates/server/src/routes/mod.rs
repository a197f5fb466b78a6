//! The handlers, one file for each resource or action.

pub mod chat;
pub mod configs;
pub mod events;
pub mod export;
pub mod messages;
pub mod meta;
pub mod providers;
pub mod search;
pub mod sessions;
pub mod sign_in;
pub mod turns;
