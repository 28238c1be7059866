use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{LocalError, io_error};
use super::options::{POLL, STOP_LIMIT};

const SIZE_LIMIT: u64 = 10_000_000;

/// The server's log. It is locked, and every process of the server inherits
/// the lock with it: who gets the lock knows that no such process is left.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    /// Opens the log, waiting a while for a server that is still stopping.
    pub(super) fn open(data_dir: &Path) -> Result<Self, LocalError> {
        let path = data_dir.join("postgres.log");
        let file =
            OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(io_error("open", &path))?;
        if !lock_within(STOP_LIMIT, &file).map_err(io_error("lock", &path))? {
            return Err(LocalError::StillStopping { data_dir: data_dir.to_owned() });
        }
        let mut start = file.metadata().map_err(io_error("look at", &path))?.len();
        if start > SIZE_LIMIT {
            file.set_len(0).map_err(io_error("empty", &path))?;
            start = 0;
        }
        Ok(Self { path, file, start })
    }

    /// The log as a program's output.
    pub(super) fn output(&self) -> Result<Stdio, LocalError> {
        let copy = self.file.try_clone().map_err(io_error("open", &self.path))?;
        Ok(copy.into())
    }

    pub(super) fn failure(&self, program: &'static str) -> LocalError {
        LocalError::Failed { program, log: self.path.clone(), lines: self.last_lines() }
    }

    /// The last lines written since this was opened.
    pub(super) fn last_lines(&self) -> String {
        let mut bytes = Vec::new();
        // This goes into an error message, which is of use without it too.
        let _ = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.read_to_end(&mut bytes)
        });
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

/// Whether the file could be locked in that time.
pub(super) fn lock_within(limit: Duration, file: &File) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(cause)) => return Err(cause),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(POLL),
        }
    }
}
