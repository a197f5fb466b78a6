//! Waiting for a thing, never for a time.

use std::{fmt::Debug, time::Duration};

use tokio::time::{Instant, sleep, timeout};

/// Longer than anything here takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `look` finds something, and gives up loudly.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look).await
}

pub async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The future's outcome, or a failed test.
pub async fn soon<T>(what: impl Debug, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what:?}"))
}
