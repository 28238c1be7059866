//! The outcome of a command.

/// The outcome of a command: an error is printed, and the process exits with 1.
pub(super) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
