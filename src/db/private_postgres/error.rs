//! The reasons why a private server cannot start, each with what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The reason why a private server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivatePostgresError {
    /// PostgreSQL's programs were not found.
    #[error(
        "PostgreSQL's programs initdb and postgres were not found together in any of {searched}; \
         install PostgreSQL {minimum} or newer (Debian and Ubuntu: apt install postgresql, Fedora: \
         dnf install postgresql-server, macOS: brew install postgresql@17), set PG_BIN_DIR to \
         their directory, or set DATABASE_URL to use a server that is already running"
    )]
    NoPrograms {
        /// The directories that were searched.
        searched: String,
        /// The oldest major version that is supported.
        minimum: u32,
    },
    /// All programs that were found are too old.
    #[error(
        "PostgreSQL {minimum} or newer is needed, but only {found} was found; install a newer one, \
         set PG_BIN_DIR to the directory of its programs, or set DATABASE_URL to use a server \
         that is already running"
    )]
    TooOld {
        /// The versions that were found, with their directories.
        found: String,
        /// The oldest major version that is supported.
        minimum: u32,
    },
    /// The version of PostgreSQL that created the data is not installed.
    #[error(
        "PostgreSQL {version} created the database in {cluster}, but only {found} was found; \
         install PostgreSQL {version} again, set PG_BIN_DIR to the directory of its programs, or \
         upgrade the data to the new version with pg_upgrade"
    )]
    OtherVersion {
        /// The database cluster.
        cluster: PathBuf,
        /// The major version that created it.
        version: u32,
        /// The versions that were found, with their directories.
        found: String,
    },
    /// The service runs as root, and there is no ordinary user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither the user postgres nor the \
         user nobody; add one of them, or start the service as an ordinary user"
    )]
    NoServerUser,
    /// The user of the server cannot enter a directory that it needs.
    #[error(
        "PostgreSQL refuses to run as root, so it runs as the user {user}, who cannot enter {blocked}; \
         choose another directory, such as DATA_DIR=/var/lib/kuntatutorit, or let the user in \
         with chmod o+x"
    )]
    Unreachable {
        /// The user of the server.
        user: String,
        /// The first directory that the user cannot enter.
        blocked: PathBuf,
    },
    /// Another process uses the data directory.
    #[error(
        "another kuntatutorit is already using {data_dir} (process {process}); stop it first, or \
         choose another directory with DATA_DIR"
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The id of the process, which it wrote into the lock file.
        process: String,
    },
    /// The server of a service that was killed is still running.
    #[error(
        "the PostgreSQL server of an earlier kuntatutorit is still stopping in {data_dir}; \
         try again in a moment, and see {data_dir}/postgres.log if it does not stop"
    )]
    StillStopping {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// Other users can enter a directory that only the user of the server may enter, or it is not a directory.
    #[error(
        "{path} must be a directory that only the user of the database server can enter; remove it \
         and try again"
    )]
    NotPrivate {
        /// The directory.
        path: PathBuf,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed; see {log}, which ends:\n{lines}")]
    Failed {
        /// The program.
        program: &'static str,
        /// The log with its whole output.
        log: PathBuf,
        /// The last lines of its output.
        lines: String,
    },
    /// The server was not ready in time.
    #[error(
        "PostgreSQL was not ready after {seconds} seconds, so it was stopped; try again when the \
         machine is less busy, or see {log}, which ends:\n{lines}"
    )]
    Slow {
        /// The time limit.
        seconds: u64,
        /// The log with the server's whole output.
        log: PathBuf,
        /// The last lines of the output.
        lines: String,
    },
    /// The service stopped while the server was starting.
    #[error("the service stopped before PostgreSQL was ready")]
    Interrupted,
    /// The server ended and could not be started again.
    #[error("the private PostgreSQL ended, and {attempts} attempts to start it again failed. The last one: {last}")]
    NotRestarted {
        /// How many starts failed in a row.
        attempts: u32,
        /// Why the last one failed.
        last: Box<PrivatePostgresError>,
    },
    /// The server ended again and again soon after it had started.
    #[error(
        "the private PostgreSQL ended {times} times within {seconds} seconds of its start; see {log}, which ends:\n{lines}"
    )]
    KeepsEnding {
        /// How many times in a row it ended.
        times: u32,
        /// The longest time for which it ran.
        seconds: u64,
        /// The log with the server's whole output.
        log: PathBuf,
        /// The last lines of the output.
        lines: String,
    },
    /// The operating system refused an action.
    #[error("cannot {action} {path}: {cause}; check DATA_DIR, and that this user may do that")]
    Io {
        /// The action that was tried.
        action: &'static str,
        /// The file or directory that it was tried on.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
}

/// Returns a function for `map_err` that adds the action and the path to an error of the operating system.
pub(super) fn io_error(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> PrivatePostgresError {
    move |cause| PrivatePostgresError::Io { action, path: path.as_ref().to_owned(), cause }
}
