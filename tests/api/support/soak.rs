//! Some tests are short in `make test` and long in `make soak`, which also prints their counts.

use std::time::Duration;

/// Returns the number of repetitions: `short`, or `long` under `make soak`.
pub(crate) fn times(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some() { long } else { short }
}

/// Returns a time limit: `promised` under `make soak`, or `busy` when all tests share the machine.
pub(crate) fn within(busy: Duration, promised: Duration) -> Duration {
    if std::env::var_os("SOAK").is_some() { promised } else { busy }
}

/// Returns how soon after a fault the service must have recovered.
pub(crate) fn recovery() -> Duration {
    within(Duration::from_secs(5), Duration::from_secs(2))
}

/// Prints a count.
#[expect(clippy::print_stdout, reason = "the output is for the person who runs the tests")]
pub(crate) fn report(what: &str) {
    println!("soak: {what}");
}
