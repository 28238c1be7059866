//! The log of a private server.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::{
    error::{PrivatePostgresError, io_error},
    options::{POLL_INTERVAL, STOP_LIMIT},
};

/// The size at which the log is emptied, in bytes.
const SIZE_LIMIT: u64 = 10_000_000;
/// The number of lines of the log that an error message quotes.
const QUOTED_LINES: usize = 12;
/// The number of available bytes below which an error message says so: PostgreSQL writes files of this size.
const LITTLE_ROOM: u64 = 16 << 20;

/// The server's log. It is locked, and every process of the server inherits the lock with the file. A process that gets the
/// lock knows that no process of an earlier server is left.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    /// Opens and locks the log. Waits for an earlier server that is still stopping, unless `stopping` is set.
    pub(super) fn open(data_dir: &Path, stopping: &AtomicBool) -> Result<Self, PrivatePostgresError> {
        let path = data_dir.join("postgres.log");
        let file =
            OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(io_error("open", &path))?;
        if !lock_within(STOP_LIMIT, &file, stopping).map_err(io_error("lock", &path))? {
            if stopping.load(Relaxed) {
                return Err(PrivatePostgresError::Interrupted);
            }
            return Err(PrivatePostgresError::StillStopping { data_dir: data_dir.to_owned() });
        }
        let mut start = file.metadata().map_err(io_error("inspect", &path))?.len();
        if start > SIZE_LIMIT {
            file.set_len(0).map_err(io_error("empty", &path))?;
            start = 0;
        }
        Ok(Self { path, file, start })
    }

    /// Returns the log as the output of a program.
    pub(super) fn output(&self) -> Result<Stdio, PrivatePostgresError> {
        let copy = self.file.try_clone().map_err(io_error("open", &self.path))?;
        Ok(copy.into())
    }

    /// Returns the error for a program that failed, with the last lines of its output.
    pub(super) fn failure(&self, program: &'static str) -> PrivatePostgresError {
        PrivatePostgresError::Failed { program, log: self.path.clone(), lines: self.last_lines() }
    }

    /// Returns the last lines that were written since the log was opened.
    pub(super) fn last_lines(&self) -> String {
        last_lines(&self.path, self.start)
    }
}

/// Returns the last lines of a log that were written after its first `start` bytes.
pub(super) fn last_lines(path: &Path, start: u64) -> String {
    let mut bytes = Vec::new();
    // The error message is useful even without these lines.
    let _ = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)
    });
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n");
    if let Some(bytes) = available(path).filter(|bytes| *bytes < LITTLE_ROOM) {
        // PostgreSQL cannot write its reason to a full disk.
        let _ = write!(last, "\nthe file system of {} is full: {bytes} bytes are available", path.display());
    }
    last
}

/// Returns the number of bytes that can still be written to the file system of this file.
fn available(path: &Path) -> Option<u64> {
    let file_system = rustix::fs::statvfs(path).ok()?;
    Some(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}

/// Locks the file. Returns false if another process still has the lock after this time, or once `stopping` is set.
pub(super) fn lock_within(limit: Duration, file: &File, stopping: &AtomicBool) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(cause)) => return Err(cause),
            Err(TryLockError::WouldBlock) if stopping.load(Relaxed) || Instant::now() > deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(POLL_INTERVAL),
        }
    }
}
