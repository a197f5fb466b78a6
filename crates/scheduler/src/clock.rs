//! What is read from outside: the time, new ids, chance. Given in from the rim, so that tests can give in their own.

use session::time::Time;
use uuid::Uuid;

#[derive(Debug, Clone, Copy)]
pub struct Clock {
    pub now: fn() -> Time,
    /// Time-ordered (UUIDv7).
    pub uuid: fn() -> Uuid,
    /// In 0..1.
    pub chance: fn() -> f64,
}

impl Clock {
    pub fn now(&self) -> Time {
        (self.now)()
    }

    pub fn id<T: From<Uuid>>(&self) -> T {
        T::from((self.uuid)())
    }
}
