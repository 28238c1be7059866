//! Hostile callers beside honest ones: every honest request gets the right answer. What honest callers see is printed, and not
//! asserted, because it depends on the machine.

mod attacks;
mod beside;
mod honest;

use std::time::Duration;

/// How long the requests of the honest callers took.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort();
        Self(durations)
    }

    /// Returns the duration below which this share of the requests lies, in percent.
    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent / 100).min(self.0.len() - 1)]
    }

    fn summary(&self) -> String {
        let (median, p99) = (self.percentile(50), self.percentile(99));
        format!("{} requests, median {median:.1?}, p99 {p99:.1?}", self.0.len())
    }
}
