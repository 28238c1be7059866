//! How the service stops. On SIGTERM `/readyz` fails first, so that a balancer sends nothing more; then nothing is
//! accepted any longer, and what is under way comes to its end. On Ctrl-C, or when told twice, at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::dev::ServerHandle;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

/// Whether the service has been told to stop.
#[derive(Debug, Default)]
pub struct Stopping(AtomicBool);

impl Stopping {
    /// Whether it has: then nobody should begin anything here.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What tells the service to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How a signal wants the service to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    InPeace,
    AtOnce,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Stops the server when it is told to: it serves for `drain` more, and `send_home` is called before it waits for what
    /// is under way.
    pub async fn stop(mut self, server: ServerHandle, stopping: &Stopping, drain: Duration, send_home: impl FnOnce()) {
        let mut wish = self.next().await;
        stopping.0.store(true, Ordering::Relaxed);
        if wish == Wish::InPeace {
            tracing::info!(seconds = drain.as_secs(), "told to stop: /readyz fails from now on");
            if timeout(drain, self.next()).await.is_ok() {
                wish = Wish::AtOnce;
            }
        }
        send_home();
        server.stop(wish == Wish::InPeace).await;
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::InPeace,
            _ = self.interrupt.recv() => Wish::AtOnce,
        }
    }
}
