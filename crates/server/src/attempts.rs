//! How often somebody may be wrong: so many times in a minute from one address, then not for the rest of it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const ATTEMPTS_MAX: u32 = 10;
const ADDRESSES_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Option<IpAddr>, Minute>>);

#[derive(Debug)]
struct Minute {
    began: Instant,
    attempts: u32,
}

impl Attempts {
    /// Counts an attempt before it is made, so that many at once are no way around it. When there have been too many:
    /// how long to wait.
    pub(crate) fn begin(&self, from: Option<IpAddr>) -> Result<(), Duration> {
        let now = Instant::now();
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.len() >= ADDRESSES_MAX {
            minutes.retain(|_, minute| now - minute.began < MINUTE);
        }
        // So many at once are one attacker: what there is no room for shares a place.
        let from =
            Some(network(from)).filter(|from| minutes.len() < ADDRESSES_MAX || minutes.contains_key(from)).flatten();
        let minute = minutes.entry(from).or_insert(Minute { began: now, attempts: 0 });
        if now - minute.began >= MINUTE {
            *minute = Minute { began: now, attempts: 0 };
        }
        if minute.attempts >= ATTEMPTS_MAX {
            return Err(MINUTE - (now - minute.began));
        }
        minute.attempts += 1;
        Ok(())
    }

    /// The attempt was right: it does not count.
    pub(crate) fn was_right(&self, from: Option<IpAddr>) {
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(minute) = minutes.get_mut(&network(from)) {
            minute.attempts = minute.attempts.saturating_sub(1);
        }
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network(from: Option<IpAddr>) -> Option<IpAddr> {
    from.map(|from| match from.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
        v4 => v4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_attempts_are_bounded_for_each_address_and_minute() {
        let attempts = Attempts::default();
        for _ in 0..ATTEMPTS_MAX {
            attempts.begin(address("10.0.0.1")).unwrap();
        }
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(attempts.begin(address("10.0.0.1")), Err(Duration::from_secs(40)));
        assert_eq!(attempts.begin(address("::ffff:10.0.0.1")), Err(Duration::from_secs(40)));
        attempts.begin(address("10.0.0.2")).unwrap();
        tokio::time::advance(Duration::from_secs(40)).await;
        attempts.begin(address("10.0.0.1")).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_attempt_does_not_count() {
        let attempts = Attempts::default();
        for _ in 0..10 * ATTEMPTS_MAX {
            attempts.begin(None).unwrap();
            attempts.was_right(None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_addresses_is_one_and_the_memory_is_bounded() {
        let attempts = Attempts::default();
        for n in 0..ATTEMPTS_MAX {
            attempts.begin(address(&format!("2001:db8::{n:x}"))).unwrap();
        }
        assert!(attempts.begin(address("2001:db8::ffff")).is_err());
        for n in 0..2 * ADDRESSES_MAX as u32 {
            let _ = attempts.begin(Some(IpAddr::from(n.to_be_bytes())));
        }
        assert!(attempts.0.lock().unwrap().len() <= ADDRESSES_MAX + 1);
        assert!(attempts.begin(address("10.9.9.9")).is_err(), "the shared place is used up");
    }
}
