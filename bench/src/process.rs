//! What the kernel knows of the server's process.

use std::{fs, io, time::Duration};

use anyhow::{Context, Result, ensure};

#[derive(Clone, Copy)]
pub struct Process {
    pid: u32,
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
    pub fn of(pid: u32) -> Result<Process> {
        let mut clock = 0;
        // SAFETY: the kernel writes one clockid_t.
        let error = unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) };
        ensure!(error == 0, io::Error::from_raw_os_error(error));
        Ok(Process { pid, clock })
    }

    /// User and system time of all threads, those that ended too, to the nanosecond: `/proc/PID/stat` counts ticks, and
    /// `schedstat` forgets ended threads.
    pub fn cpu(&self) -> Result<Duration> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel writes one timespec.
        let read = unsafe { libc::clock_gettime(self.clock, &mut time) };
        ensure!(read == 0, "the server's CPU clock is gone: {}", io::Error::last_os_error());
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    pub fn rss_kib(&self) -> Result<u64> {
        self.number("status", "VmRSS:")
    }

    pub fn io(&self) -> Result<Io> {
        Ok(Io { wchar: self.number("io", "wchar:")?, write_bytes: self.number("io", "write_bytes:")? })
    }

    fn number(&self, file: &str, field: &str) -> Result<u64> {
        let path = format!("/proc/{}/{file}", self.pid);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
        value.with_context(|| format!("no {field} in {path}"))
    }
}
