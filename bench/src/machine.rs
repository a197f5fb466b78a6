//! The machine: which cores are used for what, its limits, and what the report says of it.

use std::{fs, io};

use anyhow::{Result, ensure};
use serde::Serialize;

#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

#[derive(Serialize)]
pub struct Facts {
    pub kernel: String,
    pub cpu: String,
    pub cores: usize,
    pub server_core: usize,
    pub load_core: usize,
}

/// The first two cores we may use; with one, everything shares it and the figures are of little use.
pub fn choose_cores() -> Result<Cores> {
    // SAFETY: a zeroed cpu_set_t is an empty set, and the kernel writes at most its size.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        ensure!(libc::sched_getaffinity(0, size_of_val(&set), &mut set) == 0, io::Error::last_os_error());
        set
    };
    // SAFETY: the index stays below the size of the set.
    let mut usable = (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) });
    let server = usable.next().unwrap_or(0);
    Ok(Cores { server, load: usable.next().unwrap_or(server) })
}

/// Threads started by this one afterwards inherit it. Safe between fork and exec: one system call, no allocation.
pub fn pin_this_thread(core: usize) -> io::Result<()> {
    // SAFETY: the set lives through the call, and the index is one that the kernel gave.
    let pinned = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    };
    if pinned == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Up to the hard limit, for us and for the servers we start.
pub fn raise_open_files() -> io::Result<()> {
    // SAFETY: both calls read or write one rlimit that lives through them.
    let raised = unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
    };
    if raised == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub fn facts(cores: Cores) -> Facts {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Facts {
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().into(),
        cpu: model.map(|(_, name)| name.into()).unwrap_or_else(|| "unknown".into()),
        cores: cpu.lines().filter(|line| line.starts_with("processor")).count(),
        server_core: cores.server,
        load_core: cores.load,
    }
}
