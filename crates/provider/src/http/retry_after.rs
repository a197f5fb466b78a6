//! How long an upstream asks to be left alone.

use std::time::SystemTime;

use http::{
    HeaderMap,
    header::{DATE, HeaderName, RETRY_AFTER},
};

const MS_MAX: u64 = 3_600_000;

/// In milliseconds, an hour at most; `None` for what makes no sense. A date is understood by the upstream's own clock,
/// from its `Date` header: ours may differ.
pub(crate) fn read(headers: &HeaderMap) -> Option<u64> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let precise = text(HeaderName::from_static("retry-after-ms")).and_then(|ms| number(ms, 1.0));
    precise.or_else(|| {
        let after = text(RETRY_AFTER)?;
        number(after, 1000.0).or_else(|| {
            let (then, now) = (date(after)?, date(text(DATE)?)?);
            let ms = then.duration_since(now).ok()?.as_millis();
            Some(u64::try_from(ms).unwrap_or(MS_MAX).min(MS_MAX))
        })
    })
}

fn number(text: &str, unit_ms: f64) -> Option<u64> {
    let ms = text.parse::<f64>().ok()? * unit_ms;
    // A cast from float saturates.
    (ms >= 0.0).then_some((ms.ceil() as u64).min(MS_MAX))
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn after(pairs: &[(&'static str, &'static str)]) -> Option<u64> {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        read(&pairs.collect())
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        for (value, ms) in [
            ("2", Some(2000)),
            (" 0.5 ", Some(500)),
            ("0", Some(0)),
            ("-5", None),
            ("NaN", None),
            ("1000000000", Some(MS_MAX)),
            ("inf", Some(MS_MAX)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3000)),
            ("Sat, 06 Nov 2094 08:49:40 GMT", Some(MS_MAX)),
            ("Tue, 06 Nov 1984 08:49:40 GMT", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(after(&[("retry-after", value), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")]), ms, "{value}");
        }
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")]), None);
        assert_eq!(after(&[("retry-after", "9"), ("retry-after-ms", "20")]), Some(20));
    }
}
