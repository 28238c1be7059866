//! Starting and stopping a private PostgreSQL server.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::data_directory::{DataDirectory, SOCKET_NAME};
use super::error::{LocalError, io_error};
use super::launch::{make_cluster, server_arguments, supervise};
use super::log::Log;
use super::options::{Options, POLL, STOP_LIMIT};
use super::programs::Programs;

const START_LIMIT: Duration = Duration::from_mins(1);

/// A running private server; dropping it stops the server.
#[derive(Debug)]
pub struct LocalPostgres {
    supervisor: Child,
    socket_dir: PathBuf,
    _lock: File,
}

impl LocalPostgres {
    /// Starts a server on `options.data_dir` and returns when it accepts
    /// connections. The database cluster is made first if there is none.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or its version does not suit, another
    /// process uses the directory, or the server does not start.
    pub fn start(options: &Options) -> Result<Self, LocalError> {
        let began = Instant::now();
        let place = DataDirectory::prepare(&options.data_dir)?;
        let programs = Programs::find(options.bin_dir.as_deref(), &place)?;
        place.check_reach(&programs.dir)?;
        let log = Log::open(&place.data_dir)?;
        if !place.cluster.exists() {
            make_cluster(&place, &programs, &log, options.durable)?;
        }
        let socket_dir = place.make_socket_dir()?;
        let arguments = server_arguments(&place.cluster, &socket_dir, options);
        let supervisor = supervise(&place, &programs.postgres(), arguments, &log)?;
        let mut server = Self { supervisor, socket_dir, _lock: place.lock };
        server.wait_until_ready(&place.cluster, &log)?;
        tracing::info!(
            version = programs.version,
            data_dir = %place.data_dir.display(),
            milliseconds = began.elapsed().as_millis(),
            "private PostgreSQL started",
        );
        Ok(server)
    }

    /// The URL of a database on this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// The URL of a database on the server that another process of ours runs
    /// on `data_dir` now; `None` when there is none, or when it belongs to a
    /// user whose files we cannot read.
    #[must_use]
    pub fn running(data_dir: &Path, database: &str) -> Option<String> {
        let socket_dir = ready_socket_dir(&data_dir.join(super::data_directory::CLUSTER))?;
        Some(url(&socket_dir, database))
    }

    fn wait_until_ready(&mut self, cluster: &Path, log: &Log) -> Result<(), LocalError> {
        let deadline = Instant::now() + START_LIMIT;
        while ready_socket_dir(cluster).as_deref() != Some(&self.socket_dir) {
            let ended = self.supervisor.try_wait();
            if ended.map_err(io_error("wait for", "/bin/sh"))?.is_some() {
                return Err(log.failure("postgres"));
            }
            if Instant::now() > deadline {
                return Err(LocalError::Slow {
                    seconds: START_LIMIT.as_secs(),
                    log: log.path.clone(),
                    lines: log.last_lines(),
                });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + STOP_LIMIT;
        while let Ok(None) = self.supervisor.try_wait() {
            if Instant::now() > deadline {
                tracing::warn!("private PostgreSQL has not stopped yet, leaving it to its end");
                return;
            }
            thread::sleep(POLL);
        }
        // It may be in the temporary directory, where nobody else removes it.
        let _ = fs::remove_dir(&self.socket_dir);
    }
}

/// The socket directory of the server that runs on `cluster` and is ready.
/// The file can be a dead server's; only a connection proves it alive.
fn ready_socket_dir(cluster: &Path) -> Option<PathBuf> {
    let text = fs::read(cluster.join("postmaster.pid")).ok()?;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if !lines.get(7)?.starts_with(b"ready") {
        return None;
    }
    let socket_dir = PathBuf::from(OsStr::from_bytes(lines.get(4)?));
    UnixStream::connect(socket_dir.join(SOCKET_NAME)).ok()?;
    Some(socket_dir)
}

fn url(socket_dir: &Path, database: &str) -> String {
    let host = percent_encoded(socket_dir.as_os_str().as_bytes());
    let database = percent_encoded(database.as_bytes());
    format!("postgresql://postgres@{host}/{database}")
}

fn percent_encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
