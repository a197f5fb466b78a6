//! Measures a released `turnwise`, each figure beside a direct call to the same upstream, or a bare proxy, in the same run.
//!
//! The server runs on one core; the load and the upstream, in this process, on another. Nothing here fails on time:
//! only counts that grow with a session's length do.

#![allow(clippy::disallowed_methods, reason = "measuring is reading clocks, and the load is made of tasks of its own")]

mod client;
mod disk;
mod length;
mod load;
mod machine;
mod memory;
mod process;
mod proxy;
mod report;
mod scripts;
mod server;
mod streams;
mod turns;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use upstream::Upstream;

use crate::{machine::Cores, proxy::Proxy, report::Report, server::Server};

#[derive(Parser)]
struct Args {
    /// The binary to measure; meant to be a release build.
    #[arg(long, default_value = "target/release/turnwise")]
    turnwise: PathBuf,
    /// Everything shorter and smaller: shows that it works, its figures mean little.
    #[arg(long)]
    quick: bool,
    /// Only these measures.
    #[arg(long, value_enum)]
    only: Vec<Measure>,
    /// Where the report goes as JSON.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Where the servers' data goes while they run. Must be on the disk that is to be measured, not in memory.
    #[arg(long, default_value = "target")]
    dir: PathBuf,
    /// Be the bare proxy that everything is measured beside.
    #[arg(long, hide = true)]
    proxy_to: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Latency, rate and CPU of turns that are not streamed.
    Turns,
    /// CPU of streamed tokens.
    Streams,
    /// Memory of live streams.
    Memory,
    /// Cost of a turn by the session's length.
    Length,
}

/// What every measure needs.
pub struct Bench {
    binary: PathBuf,
    dir: PathBuf,
    cores: Cores,
    quick: bool,
    upstream: Upstream,
}

impl Bench {
    /// A fresh server on an empty data directory, with the config `bench` that calls our upstream.
    async fn server(&self) -> Result<Server> {
        Server::start(&self.binary, &self.dir, self.cores.server, &self.upstream.base_url()).await
    }

    /// A bare proxy to our upstream, on the server's core.
    fn proxy(&self) -> Result<Proxy> {
        Proxy::start(self.upstream.addr(), self.cores.server)
    }

    /// The longer value, unless this is to be quick.
    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn seconds(&self, full: f64, quick: f64) -> Duration {
        Duration::from_secs_f64(self.pick(full, quick))
    }
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(upstream) = args.proxy_to {
        machine::raise_open_files()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(proxy::serve(upstream))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cores = machine::choose_cores()?;
    machine::pin_this_thread(cores.load)?;
    machine::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(args, cores))
}

async fn run(args: Args, cores: Cores) -> Result<ExitCode> {
    let binary = args.turnwise.canonicalize().with_context(|| {
        format!(
            "no binary at {}: build it (cargo build --release -p turnwise) or name it with --turnwise",
            args.turnwise.display()
        )
    })?;
    let server_log = args.dir.join(server::LOG);
    let _ = std::fs::remove_file(&server_log);
    let upstream = Upstream::start().await;
    upstream.forget_requests();
    let bench = Bench { binary, dir: args.dir, cores, quick: args.quick, upstream };
    let mut report = Report::new(machine::facts(cores), args.quick);

    for measure in Measure::value_variants() {
        if !args.only.is_empty() && !args.only.contains(measure) {
            continue;
        }
        eprintln!("measuring {measure:?}…");
        let measured = match measure {
            Measure::Turns => turns::measure(&bench, &mut report).await,
            Measure::Streams => streams::measure(&bench, &mut report).await,
            Measure::Memory => memory::measure(&bench, &mut report).await,
            Measure::Length => length::measure(&bench, &mut report).await,
        };
        if let Err(error) = measured {
            report.failures.push(format!("{measure:?}: {error:#} (the server's log: {})", server_log.display()));
        }
    }
    report.print();
    report.write(&args.json)?;
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
