use std::io;
use std::path::{Path, PathBuf};

/// Why a private server could not be started, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// PostgreSQL's programs are nowhere to be found.
    #[error(
        "PostgreSQL's programs initdb and postgres were not found together in any of {looked}; \
         install PostgreSQL {minimum} or newer (Debian and Ubuntu: apt install postgresql, Fedora: \
         dnf install postgresql-server, macOS: brew install postgresql@17), set PG_BIN_DIR to \
         their directory, or set DATABASE_URL to use a server that runs already"
    )]
    NoPrograms {
        /// The directories that were searched.
        looked: String,
        /// The oldest major version that will do.
        minimum: u32,
    },
    /// Only too old programs were found.
    #[error(
        "PostgreSQL {minimum} or newer is needed but only {found} was found; install a newer one, \
         set PG_BIN_DIR to the directory of its programs, or set DATABASE_URL to use a server \
         that runs already"
    )]
    TooOld {
        /// The versions and where they are.
        found: String,
        /// The oldest major version that will do.
        minimum: u32,
    },
    /// The data is from a version of PostgreSQL that is not installed.
    #[error(
        "the database in {cluster} was made by PostgreSQL {version} but only {found} was found; \
         install PostgreSQL {version} again, set PG_BIN_DIR to the directory of its programs, or \
         move the data to the new version with pg_upgrade"
    )]
    OtherVersion {
        /// The database cluster.
        cluster: PathBuf,
        /// The major version that made it.
        version: u32,
        /// The versions found and where they are.
        found: String,
    },
    /// We are root, and there is no ordinary user to run the server as.
    #[error(
        "PostgreSQL does not run as root and /etc/passwd has neither the user postgres nor the \
         user nobody; add one of them, or start the service as an ordinary user"
    )]
    NoServerUser,
    /// The user that the server runs as cannot get to its files.
    #[error(
        "PostgreSQL does not run as root but as the user {user}, who cannot enter {blocked}; \
         choose another directory, such as DATA_DIR=/var/lib/kuntatutorit, or let the user in \
         with chmod o+x"
    )]
    Unreachable {
        /// The user that the server runs as.
        user: String,
        /// The first directory that the user cannot enter.
        blocked: PathBuf,
    },
    /// Another process runs a server on the directory.
    #[error(
        "another kuntatutorit is already using {data_dir} (process {process}); stop it first, or \
         choose another directory with DATA_DIR"
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The number of the process, as it wrote it down.
        process: String,
    },
    /// The server of a killed service has not ended.
    #[error(
        "a PostgreSQL server that an earlier kuntatutorit left on {data_dir} is still stopping; \
         try again in a moment, and see {data_dir}/postgres.log if this goes on"
    )]
    StillStopping {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// A directory that must be ours alone is not.
    #[error(
        "{path} is not a directory that only the database server's own user can enter; remove it \
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
        /// The log with all that it said.
        log: PathBuf,
        /// The end of what it said.
        lines: String,
    },
    /// The server was not ready in time.
    #[error(
        "PostgreSQL did not become ready in {seconds} seconds and was stopped; try again when the \
         machine is less busy, or see {log}, which ends:\n{lines}"
    )]
    Slow {
        /// How long we waited.
        seconds: u64,
        /// The log with all that it said.
        log: PathBuf,
        /// The end of what it said.
        lines: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {path}: {cause}; check DATA_DIR, and that this user may do that")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}

/// For `map_err`: names what was tried on what.
pub(super) fn io_error(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> LocalError {
    move |cause| LocalError::Io { action, path: path.as_ref().to_owned(), cause }
}
