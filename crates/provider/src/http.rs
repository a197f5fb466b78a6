//! The HTTP/1.1 client: dialling, TLS, connections and their reuse. Knows nothing of models.
//!
//! HTTP/1.1 alone: one HTTP/2 connection per host would cap the streams that run at once, and closing a connection is
//! the one cancel that every upstream understands.

pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod pool;
pub(crate) mod retry_after;
