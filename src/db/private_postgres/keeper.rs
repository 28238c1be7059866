//! Starting the server again whenever it ends.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{error::PrivatePostgresError, log::last_lines, server::PrivatePostgres};

/// The time between two checks whether the server has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// The pause after the second failure in a row. It doubles with each further failure; after the first one there is none.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a server must have run so that its end is not counted with earlier failures.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// The number of failed starts in a row after which the service gives up.
const MAX_FAILED_STARTS: u32 = 6;
/// The number of ends in a row, each before [`STABLE_AFTER`], after which the service gives up.
const MAX_SHORT_RUNS: u32 = 20;

/// A private server that is started again whenever it ends. It stops when this is dropped.
#[derive(Debug)]
pub struct KeptPostgres {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PrivatePostgres {
    /// Starts the server again whenever it ends. After repeated failures, it calls `give_up` with the reason and does not try
    /// again.
    ///
    /// # Errors
    /// When the system cannot create a thread.
    pub fn keep_running(self, give_up: impl FnOnce(PrivatePostgresError) + Send + 'static) -> io::Result<KeptPostgres> {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeper {
            server: self,
            stopping: Arc::clone(&stopping),
            ready_since: Instant::now(),
            failures: Failures::default(),
        };
        let watch = move || {
            if let Err(error) = keeper.watch() {
                give_up(error);
            }
        };
        let thread = thread::Builder::new().name("postgres-keeper".to_owned()).spawn(watch)?;
        Ok(KeptPostgres { stopping, thread: Some(thread) })
    }
}

impl Drop for KeptPostgres {
    fn drop(&mut self) {
        self.stopping.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread stops the server at its end. A panic in it has been logged.
            let _ = thread.join();
        }
    }
}

/// The failures in a row.
#[derive(Debug, Default)]
struct Failures {
    starts: u32,
    short_runs: u32,
}

impl Failures {
    /// Returns the pause before the next start.
    fn pause(&self) -> Duration {
        match self.starts + self.short_runs {
            0 | 1 => Duration::ZERO,
            failures => LONGEST_PAUSE.min(FIRST_PAUSE.saturating_mul(1 << (failures - 2).min(8))),
        }
    }
}

/// The thread that watches the server.
struct Keeper {
    server: PrivatePostgres,
    stopping: Arc<AtomicBool>,
    ready_since: Instant,
    failures: Failures,
}

impl Keeper {
    /// Watches the server until the service stops.
    ///
    /// # Errors
    /// Why the server cannot be kept running.
    fn watch(&mut self) -> Result<(), PrivatePostgresError> {
        while !self.stopping.load(Relaxed) {
            match self.server.ended()? {
                Some(status) => {
                    tracing::error!(%status, "the private PostgreSQL has ended; starting it again");
                    self.count_run()?;
                    self.start_again()?;
                }
                None => thread::park_timeout(CHECK_INTERVAL),
            }
        }
        Ok(())
    }

    fn count_run(&mut self) -> Result<(), PrivatePostgresError> {
        if self.ready_since.elapsed() >= STABLE_AFTER {
            self.failures = Failures::default();
            return Ok(());
        }
        self.failures.short_runs += 1;
        if self.failures.short_runs < MAX_SHORT_RUNS {
            return Ok(());
        }
        let log = self.server.data_dir().join("postgres.log");
        Err(PrivatePostgresError::KeepsEnding {
            times: self.failures.short_runs,
            seconds: STABLE_AFTER.as_secs(),
            lines: last_lines(&log, 0),
            log,
        })
    }

    /// Tries to start the server until it is ready or the service stops.
    fn start_again(&mut self) -> Result<(), PrivatePostgresError> {
        loop {
            self.pause();
            if self.stopping.load(Relaxed) {
                return Ok(());
            }
            let Err(error) = self.server.restart(&self.stopping) else { break };
            if self.stopping.load(Relaxed) {
                return Ok(());
            }
            self.failures.starts += 1;
            if self.failures.starts == MAX_FAILED_STARTS {
                return Err(PrivatePostgresError::NotRestarted { attempts: MAX_FAILED_STARTS, last: Box::new(error) });
            }
            tracing::error!(%error, attempt = self.failures.starts, "the private PostgreSQL did not start again");
        }
        self.failures.starts = 0;
        self.ready_since = Instant::now();
        Ok(())
    }

    /// Waits before the next start, but not longer than the service runs.
    fn pause(&self) {
        let end = Instant::now() + self.failures.pause();
        while !self.stopping.load(Relaxed) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }
}
