//! `kuntatutorit licences`.

use std::io::{self, Write as _};

/// The notices, which `make licences` generates from the dependencies.
const LICENCES: &str = include_str!("../../licences.txt");

pub(super) fn run() -> io::Result<()> {
    match io::stdout().lock().write_all(LICENCES.as_bytes()) {
        // `kuntatutorit licences | head` closes the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
