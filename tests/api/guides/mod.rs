//! The documents tell the truth: every block of shell in the guides can be pasted, the example programs work, and what the
//! documents name exists.

mod documents;
mod programs;
mod walks;

use std::process::Output;

/// The directory of the repository.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
