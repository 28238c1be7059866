//! Shutdown without lost requests.
//!
//! On SIGTERM, `/readyz` fails first, so that a load balancer sends no more requests to this instance. After the drain time
//! the server accepts no more connections, and requests in flight are finished. On Ctrl-C, or on a second signal during the
//! drain time, the server stops at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::dev::ServerHandle;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

/// Whether the service is shutting down.
#[derive(Debug, Default)]
pub struct Stopping(AtomicBool);

impl Stopping {
    /// Returns whether the shutdown has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The signals that stop the service.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// Whether the server finishes the requests in flight before it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Graceful,
    Immediate,
}

impl Signals {
    /// Starts to listen for the signals.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal and stops the server. After SIGTERM, it first serves for the time `drain`. `end_long_polls` is
    /// called before the server waits for the requests in flight.
    pub async fn stop(
        mut self,
        server: ServerHandle,
        stopping: &Stopping,
        drain: Duration,
        end_long_polls: impl FnOnce(),
    ) {
        let mut mode = self.next().await;
        stopping.0.store(true, Ordering::Relaxed);
        if mode == Mode::Graceful {
            tracing::info!(seconds = drain.as_secs(), "shutting down: /readyz fails from now on");
            if timeout(drain, self.next()).await.is_ok() {
                mode = Mode::Immediate;
            }
        }
        end_long_polls();
        server.stop(mode == Mode::Graceful).await;
    }

    async fn next(&mut self) -> Mode {
        tokio::select! {
            _ = self.terminate.recv() => Mode::Graceful,
            _ = self.interrupt.recv() => Mode::Immediate,
        }
    }
}
