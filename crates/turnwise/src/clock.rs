//! The rim where time, ids and chance are read.

use scheduler::Clock;
use session::time::Time;
use uuid::Uuid;

pub const CLOCK: Clock = Clock { now, uuid, chance };

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
fn uuid() -> Uuid {
    Uuid::now_v7()
}

#[expect(clippy::disallowed_methods, reason = "the one place that rolls dice")]
fn chance() -> f64 {
    (Uuid::new_v4().as_u128() >> 75) as f64 / (1u64 << 53) as f64
}
