//! The options and the time limits of a private server.

use std::{path::PathBuf, time::Duration};

/// The supervisor waits 5 seconds before SIGQUIT, and then the server 5 more
/// before it kills processes that do not answer.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(12);
pub(super) const POLL: Duration = Duration::from_millis(10);

/// How to run a private server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory that holds the database; it is made if it is missing.
    pub data_dir: PathBuf,
    /// Where PostgreSQL's programs are (`PG_BIN_DIR`); they are searched for
    /// when this is `None`.
    pub bin_dir: Option<PathBuf>,
    /// Whether committed data must survive a power failure. Only tests can do
    /// without, and are faster for it.
    pub durable: bool,
    /// How many connections the server accepts at once.
    pub max_connections: u16,
}
impl Options {
    /// A durable database in `data_dir` with programs that are searched for.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), bin_dir: None, durable: true, max_connections: 100 }
    }
}
