//! A moment: milliseconds since 1970 UTC, written as RFC 3339 with milliseconds. Order in a session never depends on it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

#[derive(Debug, Clone, thiserror::Error)]
#[error("a time is RFC 3339 in UTC, as 2026-01-31T23:59:59.000Z")]
pub struct BadTime;

impl Time {
    /// 1970 to the end of what jiff can hold in the year 9999: the text always has one width and sorts as the time does.
    const RANGE_MS: (i64, i64) = (0, 253_402_207_199_999);

    pub const EPOCH: Time = Time(0);

    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(Self::RANGE_MS.0, Self::RANGE_MS.1))
    }

    pub fn as_ms(self) -> i64 {
        self.0
    }

    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; 0 when the clock went back in between.
    pub fn since(self, earlier: Time) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => f.write_str("0000-01-01T00:00:00.000Z"),
        }
    }
}

impl FromStr for Time {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let at: jiff::Timestamp = text.parse().map_err(|_| BadTime)?;
        Ok(Self::from_ms(at.as_millisecond()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_and_one_width() {
        assert_eq!(Time::from_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time::from_ms(1_763_850_000_120).to_string(), "2025-11-22T22:20:00.120Z");
        for ms in [i64::MIN, -1, 0, 1, i64::MAX] {
            let time = Time::from_ms(ms);
            assert_eq!(time.to_string().len(), 24);
            assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        }
    }
}
