//! The limit on open files: raised as far as it may be, and shared out, so that clients who come take nothing from the
//! turns that run. Out of descriptors a server fails what it has begun; with a share of them it lets others wait.

/// For the database, its log, the sockets that listen and what comes and goes.
const OWN: u64 = 32;

/// What may be open at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// From clients. Each may bring a call to an upstream with it.
    pub connections: usize,
    /// To all upstreams, between calls.
    pub resting: usize,
}

/// Of what the process may open.
pub fn share() -> std::io::Result<Share> {
    raise().map(Share::of)
}

impl Share {
    fn of(files: u64) -> Share {
        let files = usize::try_from(files.saturating_sub(OWN)).unwrap_or(usize::MAX);
        let resting = files / 8;
        Share { connections: ((files - resting) / 2).max(1), resting }
    }
}

/// Gives the limit, which is as high as it can be without anyone's leave.
fn raise() -> std::io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live struct, and neither call keeps anything of it.
    let done = unsafe {
        match libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) {
            0 => {
                limit.rlim_cur = limit.rlim_max;
                libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
            }
            failed => failed,
        }
    };
    if done == 0 { Ok(limit.rlim_cur) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_call_for_each_client_beside_what_rests_and_always_one() {
        assert_eq!(Share::of(64), Share { connections: 14, resting: 4 });
        assert_eq!(Share::of(1024), Share { connections: 434, resting: 124 });
        assert_eq!(Share::of(10), Share { connections: 1, resting: 0 });
    }
}
