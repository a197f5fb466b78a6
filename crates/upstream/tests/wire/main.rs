//! What a raw client sees on the socket, and what the log says afterwards.

mod answers;
mod client;
mod faults;
mod log;
