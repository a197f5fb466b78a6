//! A process under measurement, on a core of its own, and what the kernel knows of it.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::machine;

/// Killed when this is dropped.
pub struct Process {
    child: Child,
    clock: libc::clockid_t,
}

#[derive(Clone, Copy)]
pub struct Io {
    /// Bytes given to `write` calls, some of the sockets' among them.
    pub wchar: u64,
    /// Bytes of pages made dirty: what goes to the disk.
    pub write_bytes: u64,
}

impl Process {
    /// Keys and settings of whoever runs this do not change what is measured: the process gets none.
    pub fn start(command: &mut Command, core: usize) -> Result<Process> {
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
        // SAFETY: one system call between fork and exec.
        unsafe { command.pre_exec(move || machine::pin_this_thread(core)) };
        let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        let mut process = Process { child, clock: 0 };
        // SAFETY: the kernel writes one clockid_t.
        let error = unsafe { libc::clock_getcpuclockid(process.child.id() as libc::pid_t, &mut process.clock) };
        ensure!(error == 0, io::Error::from_raw_os_error(error));
        Ok(process)
    }

    /// What it says on its standard output; once.
    pub fn stdout(&mut self) -> Result<ChildStdout> {
        self.child.stdout.take().context("stdout is piped")
    }

    /// User and system time of all threads, those that ended too, to the nanosecond: `/proc/PID/stat` counts ticks, and
    /// `schedstat` forgets ended threads.
    pub fn cpu(&self) -> Result<Duration> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel writes one timespec.
        let read = unsafe { libc::clock_gettime(self.clock, &mut time) };
        ensure!(read == 0, "the process's CPU clock is gone: {}", io::Error::last_os_error());
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    pub fn rss_kib(&self) -> Result<u64> {
        self.number("status", "VmRSS:")
    }

    pub fn io(&self) -> Result<Io> {
        Ok(Io { wchar: self.number("io", "wchar:")?, write_bytes: self.number("io", "write_bytes:")? })
    }

    fn number(&self, file: &str, field: &str) -> Result<u64> {
        let path = format!("/proc/{}/{file}", self.child.id());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
        value.with_context(|| format!("no {field} in {path}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
