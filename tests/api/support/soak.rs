//! Some tests are short in `make test` and long in `make soak`, which prints what they counted.

use std::time::Duration;

/// How often: a few times, or so many under `make soak`.
pub(crate) fn times(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some() { long } else { short }
}

/// How long something may take: what is promised under `make soak`, so long beside all other tests on a busy machine.
pub(crate) fn within(busy: Duration, promised: Duration) -> Duration {
    if std::env::var_os("SOAK").is_some() { promised } else { busy }
}

/// How soon after a fault all must be well again.
pub(crate) fn recovery() -> Duration {
    within(Duration::from_secs(5), Duration::from_secs(2))
}

/// A figure for who runs `make soak`.
#[expect(clippy::print_stdout, reason = "it is told to who runs the tests")]
pub(crate) fn counted(what: &str) {
    println!("soak: {what}");
}
