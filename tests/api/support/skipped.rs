//! Tests that need what a machine may lack.

use std::io::Write as _;

/// Prints that a test is skipped, and why.
pub(crate) fn skipped(what: &str, why: &str) {
    // Written to stderr directly: the test harness hides the output of macros when a test passes.
    std::io::stderr().write_all(format!("\nSKIPPED: {what}, because {why}.\n\n").as_bytes()).unwrap();
}
