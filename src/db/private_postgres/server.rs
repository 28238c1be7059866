//! Starting and stopping a private PostgreSQL server.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    os::unix::{ffi::OsStrExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::{
    data_directory::{CLUSTER, DataDirectory, SOCKET_PREFIX},
    error::{PrivatePostgresError, io_error},
    launch::{create_cluster, server_arguments, supervise},
    leftovers::{end_processes, remove_lock_files},
    log::Log,
    options::{Options, POLL_INTERVAL, STOP_LIMIT},
    programs::Programs,
};

/// The longest time in which a server must be ready.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A private server that is running. It stops when this is dropped.
#[derive(Debug)]
pub struct PrivatePostgres {
    supervisor: Child,
    socket_dir: PathBuf,
    directory: DataDirectory,
    programs: Programs,
    options: Options,
}

impl PrivatePostgres {
    /// Starts a server on `options.data_dir`, and waits until it accepts connections. Creates the database cluster first if
    /// there is none.
    pub fn start(options: &Options) -> Result<Self, PrivatePostgresError> {
        let began = Instant::now();
        let directory = DataDirectory::prepare(&options.data_dir)?;
        let programs = Programs::find(options.bin_dir.as_deref(), &directory)?;
        directory.check_access(&programs.dir)?;
        let never = AtomicBool::new(false);
        let log = Log::open(&directory.data_dir, &never)?;
        if !directory.cluster.exists() {
            create_cluster(&directory, &programs, &log, options.durable)?;
        }
        let (supervisor, socket_dir) = launch(&directory, &programs, options, &log)?;
        let mut server = Self { supervisor, socket_dir, directory, programs, options: options.clone() };
        server.wait_until_ready(&log, &never)?;
        server.log_start("private PostgreSQL started", began);
        Ok(server)
    }

    /// Starts the server again after it or its supervisor has ended. Stops waiting when `stopping` is set.
    pub(super) fn restart(&mut self, stopping: &AtomicBool) -> Result<(), PrivatePostgresError> {
        let began = Instant::now();
        drop(self.supervisor.stdin.take());
        // If only the supervisor has ended, this ends the server too: nothing would stop it later.
        end_processes(&self.directory.cluster);
        let log = Log::open(&self.directory.data_dir, stopping)?;
        (self.supervisor, self.socket_dir) = launch(&self.directory, &self.programs, &self.options, &log)?;
        self.wait_until_ready(&log, stopping)?;
        self.log_start("private PostgreSQL started again", began);
        Ok(())
    }

    /// Returns the exit status of the server if it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, PrivatePostgresError> {
        self.supervisor.try_wait().map_err(io_error("wait for", "/bin/sh"))
    }

    /// Returns the data directory.
    pub(super) fn data_dir(&self) -> &Path {
        &self.directory.data_dir
    }

    fn log_start(&self, message: &str, began: Instant) {
        tracing::info!(
            version = self.programs.version,
            data_dir = %self.data_dir().display(),
            milliseconds = began.elapsed().as_millis(),
            "{message}",
        );
    }

    /// Returns the URL of a database on this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// Returns the URL of a database on the server that another process of the service runs on `data_dir`. Returns `None`
    /// if no server is running, or if it belongs to a user whose files this process cannot read.
    #[must_use]
    pub fn running(data_dir: &Path, database: &str) -> Option<String> {
        let socket_dir = ready_socket_dir(&data_dir.join(CLUSTER))?;
        Some(url(&socket_dir, database))
    }

    fn wait_until_ready(&mut self, log: &Log, stopping: &AtomicBool) -> Result<(), PrivatePostgresError> {
        let deadline = Instant::now() + START_LIMIT;
        while ready_socket_dir(&self.directory.cluster).as_deref() != Some(&self.socket_dir) {
            if self.ended()?.is_some() {
                return Err(log.failure("postgres"));
            }
            if stopping.load(Relaxed) {
                return Err(PrivatePostgresError::Interrupted);
            }
            if Instant::now() > deadline {
                return Err(PrivatePostgresError::Slow {
                    seconds: START_LIMIT.as_secs(),
                    log: log.path.clone(),
                    lines: log.last_lines(),
                });
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}

/// Starts the server. Returns its supervisor and the directory of its socket.
fn launch(
    directory: &DataDirectory,
    programs: &Programs,
    options: &Options,
    log: &Log,
) -> Result<(Child, PathBuf), PrivatePostgresError> {
    let socket_dir = directory.create_socket_dir()?;
    remove_lock_files(&directory.cluster, &socket_dir);
    let arguments = server_arguments(&directory.cluster, &socket_dir, options);
    let supervisor = supervise(directory, &programs.postgres(), arguments, log)?;
    Ok((supervisor, socket_dir))
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + STOP_LIMIT;
        while let Ok(None) = self.supervisor.try_wait() {
            if Instant::now() > deadline {
                tracing::warn!("private PostgreSQL has not stopped in time; the service ends without it");
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
        // Only a server whose postmaster or supervisor was killed still has processes.
        end_processes(&self.directory.cluster);
        // The directory may be a temporary one, which nothing else removes.
        let _ = fs::remove_dir(&self.socket_dir);
    }
}

/// Returns the socket directory of the server that is ready on `cluster`. A killed server leaves its `postmaster.pid`
/// behind, so only a connection proves that the server is running.
fn ready_socket_dir(cluster: &Path) -> Option<PathBuf> {
    let text = fs::read(cluster.join("postmaster.pid")).ok()?;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if !lines.get(7)?.starts_with(b"ready") {
        return None;
    }
    let socket_dir = PathBuf::from(OsStr::from_bytes(lines.get(4)?));
    let port = std::str::from_utf8(lines.get(3)?).ok()?;
    UnixStream::connect(socket_dir.join(format!("{SOCKET_PREFIX}{port}"))).ok()?;
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
