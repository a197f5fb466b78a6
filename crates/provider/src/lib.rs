//! Stateless model APIs: from a prompt to a stream of deltas, one attempt at a time.
//!
//! ```no_run
//! # async fn example(prompt: session::history::Prompt) -> Result<(), Box<dyn std::error::Error>> {
//! use provider::{Providers, Settings, Target};
//!
//! let providers = Providers::new(Settings::default())?;
//! let target = Target::new("deepseek", None).with_key("sk-…");
//! let body = providers.body(&target, &prompt).map_err(|failure| failure.message)?;
//! let mut reply = providers.call(&target, &prompt.model, body);
//! while let Some(delta) = reply.next().await {
//!     match delta {
//!         Ok(delta) => println!("{delta:?}"),
//!         Err(failure) => println!("{}", failure.message),
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Knows nothing of sessions, storage or our HTTP. Whether to try again is the caller's to decide, from the failure's
//! code; to cancel is to drop the reply.

#![warn(clippy::unwrap_used, reason = "it would end somebody's turn")]

mod call;
mod client;
mod echo;
mod failure;
mod format;
mod http;
mod json;
mod openai;
mod presets;
mod providers;
mod reply;
pub mod scripted;
mod sse;
mod url;

pub use rustls::pki_types::CertificateDer;

pub use crate::{
    http::dial::{Dial, DialError, Socket, Tcp},
    presets::{Preset, base_url, preset, presets},
    providers::{Error, Providers, Settings, Target},
    reply::Reply,
    url::{BadUrl, Base, origin},
};
