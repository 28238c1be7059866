//! Some tests are short in `make test` and long in `make soak`, which prints what they counted.

/// How often: a few times, or so many under `make soak`.
pub(crate) fn times(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some() { long } else { short }
}

/// A figure for who runs `make soak`.
#[expect(clippy::print_stdout, reason = "it is told to who runs the tests")]
pub(crate) fn counted(what: &str) {
    println!("soak: {what}");
}
