//! Turnwise: durable, isolated, parallel sessions over stateless model APIs. The only place that wires the parts
//! together.

mod admin;
mod clock;
mod doctor;
mod files;
mod keys;
mod log;
mod options;
mod seed;
mod serve;

use clap::{Parser, Subcommand};

use crate::options::Options;

// Idle streams are many and small; the system's allocator keeps half as much again for them.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Memory that a burst of streams has let go of goes back to the system within a second, not within ten.
#[cfg(not(debug_assertions))]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static MALLOC_CONF: &[u8; 40] = b"dirty_decay_ms:1000,muzzy_decay_ms:1000\0";

#[derive(Debug, Parser)]
#[command(name = "turnwise", version, about = "Conversations with a memory, over any stateless model API")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(#[command(flatten)] Box<Options>),
    /// Make, list and revoke API keys
    Keys {
        #[command(subcommand)]
        command: keys::Command,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Check the data directory, the store and every config's upstream
    Doctor(#[command(flatten)] Box<Options>),
    /// Print the effective settings, secrets hidden
    Config(#[command(flatten)] Box<Options>),
}

fn main() -> std::process::ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(options) => serve::run(*options),
        Command::Keys { command, options } => keys::run(command, *options),
        Command::Doctor(options) => doctor::run(*options),
        Command::Config(options) => options.resolve().and_then(|settings| settings.print()),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("turnwise: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
