//! Named stop-points, for tests: in a build with the `faults` feature, `TURNWISE_FAULTS=finish.after_commit:3=kill`
//! kills the process when it comes by that point for the third time. Without the feature nothing of it is there.

#[derive(Debug, Clone, Default)]
pub struct Faults {
    #[cfg(feature = "faults")]
    points: std::sync::Arc<Vec<Point>>,
}

#[cfg(feature = "faults")]
#[derive(Debug)]
struct Point {
    name: String,
    left: std::sync::atomic::AtomicU32,
}

impl Faults {
    /// Reads `name[:nth]=kill`, comma-separated.
    #[cfg(feature = "faults")]
    pub fn parse(text: &str) -> Faults {
        let points = text
            .split(',')
            .filter_map(|point| point.trim().strip_suffix("=kill"))
            .map(|point| {
                let (name, nth) = point.split_once(':').unwrap_or((point, "1"));
                Point { name: name.to_owned(), left: nth.parse().unwrap_or(1).into() }
            })
            .collect();
        Faults { points: std::sync::Arc::new(points) }
    }

    #[cfg(not(feature = "faults"))]
    pub fn parse(_: &str) -> Faults {
        Faults {}
    }

    #[cfg(feature = "faults")]
    pub fn at(&self, verb: &str, moment: &str) {
        use std::sync::atomic::Ordering;
        for point in self.points.iter() {
            let here = point.name.strip_prefix(verb).and_then(|rest| rest.strip_prefix('.')) == Some(moment);
            if here && point.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                // SAFETY: both calls take plain numbers; the process ends here, as it would by `kill -9` from outside.
                unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
                std::thread::park();
            }
        }
    }

    #[cfg(not(feature = "faults"))]
    #[inline(always)]
    pub fn at(&self, _verb: &str, _moment: &str) {}
}
