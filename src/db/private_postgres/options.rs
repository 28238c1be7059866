//! The options and the time limits of a private server.

use std::{path::PathBuf, time::Duration};

/// The longest time in which a server must stop. The supervisor waits 5 seconds before it sends SIGQUIT, and the server
/// then waits up to 5 more before it kills its own processes.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(12);
/// The time between two checks while the service waits for the server.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The options of a private server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory that holds the database. It is created if it does not exist.
    pub data_dir: PathBuf,
    /// The directory of PostgreSQL's programs (`PG_BIN_DIR`). With `None`, the usual directories are searched.
    pub bin_dir: Option<PathBuf>,
    /// Whether committed data must survive a power failure. Only tests turn this off, to run faster.
    pub durable: bool,
    /// The most connections that the server accepts at the same time.
    pub max_connections: u16,
    /// More settings of the server, each `name=value`. They take precedence. Only tests have any.
    pub settings: Vec<String>,
}

impl Options {
    /// Returns the options of a durable database in `data_dir`, with programs from the usual directories.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), bin_dir: None, durable: true, max_connections: 100, settings: Vec::new() }
    }
}
