//! The log goes to standard error: standard output has the ready line and nothing else.
//!
//! Lines are gathered for a moment and written together, by a thread of their own: a busy server would else spend a
//! system call, and wait for whoever reads, at every line.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tracing_subscriber::{EnvFilter, fmt};

use crate::options::LogFormat;

/// How long a line may wait for others.
const MOMENT: Duration = Duration::from_millis(20);
/// More is not kept: who has something to say then waits until it is written.
const BYTES_MAX: usize = 256 << 10;

pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<Log> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log = {filter:?} is no filter"))?;
    let lines = Arc::<Lines>::default();
    let writer = lines.clone();
    let log = fmt().with_env_filter(filter).with_writer(move || Line(writer.clone()));
    let set = match format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))?;
    let thread = lines.clone();
    std::thread::Builder::new().name("log".into()).spawn(move || thread.run()).context("no thread for the log")?;
    Ok(Log(lines))
}

/// Dropped at the end of the program, writes what is left.
#[must_use]
pub struct Log(Arc<Lines>);

impl Drop for Log {
    fn drop(&mut self) {
        write_out(&mut self.0.waiting());
    }
}

#[derive(Default)]
struct Lines {
    waiting: Mutex<Vec<u8>>,
    some: Condvar,
}

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            drop(self.some.wait_while(self.waiting(), |waiting| waiting.is_empty()));
            #[expect(clippy::disallowed_methods, reason = "it is the point: others join")]
            std::thread::sleep(MOMENT);
            write_out(&mut self.waiting());
        }
    }
}

/// Where there is nobody to tell, nobody is told.
fn write_out(lines: &mut Vec<u8>) {
    let _ = io::stderr().write_all(lines);
    lines.clear();
}

/// Where one line is written to.
struct Line(Arc<Lines>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting();
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        if waiting.len() > BYTES_MAX {
            write_out(&mut waiting);
        } else if first {
            self.0.some.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
