//! Wakes the requests that wait for a change. One connection of the process polls the ledger, and only while a request
//! waits.
//!
//! PostgreSQL's `NOTIFY` would be the alternative. But transactions that notify are committed one after the other, which
//! makes writes about ten times slower on a disk that waits for each commit, and a change that was notified may not be
//! visible yet.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{mark::Mark, store};
use crate::{
    admission::{Admission, Permit},
    auth::reach::Identity,
    connection_parameters::ConnectionParameters,
    db::{Conn, establish},
    problem::{Error, Result},
};

/// The maximum number of requests that wait at the same time.
const MAX_WAITING: usize = 1000;
/// The maximum number of requests of one caller that wait at the same time.
const MAX_WAITING_PER_CALLER: usize = 20;
/// The time between two polls while a request waits.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long a poll may take.
const POLL_LIMIT: Duration = Duration::from_secs(1);

/// Wakes the requests that wait for a change of the ledger.
#[derive(Debug)]
pub struct LedgerPoller {
    /// Wakes the waiters. The value is true once the service is shutting down.
    wake_up: watch::Sender<bool>,
    admission: Admission<Identity>,
    waiter_registered: Notify,
}

/// A request that waits for a change. It registers before it reads the ledger, so that it misses no change in between.
#[derive(Debug)]
pub(super) struct Waiter {
    wake_up: watch::Receiver<bool>,
    _permit: Permit<Identity>,
}

impl Default for LedgerPoller {
    fn default() -> Self {
        Self {
            wake_up: watch::Sender::new(false),
            admission: Admission::new(MAX_WAITING, MAX_WAITING_PER_CALLER),
            waiter_registered: Notify::new(),
        }
    }
}

impl LedgerPoller {
    /// Registers a waiting request of this caller.
    ///
    /// # Errors
    /// [`Error::TooManyWaiting`] when too many requests, or too many of this caller, wait already.
    pub(super) fn register(&self, caller: &Identity) -> Result<Waiter> {
        let permit = self.admission.admit(caller).ok_or(Error::TooManyWaiting)?;
        let wake_up = self.wake_up.subscribe();
        self.waiter_registered.notify_one();
        Ok(Waiter { wake_up, _permit: permit })
    }

    /// Ends all waiting, because the service is shutting down.
    pub fn close(&self) {
        self.wake(true);
    }

    fn wake(&self, closing: bool) {
        self.wake_up.send_modify(|is_closing| *is_closing |= closing);
    }

    async fn until_a_request_waits(&self) {
        while self.admission.is_idle() {
            self.waiter_registered.notified().await;
        }
    }
}

impl Waiter {
    /// Waits until there may be a new change, or until this deadline. Returns whether there may be one.
    pub(super) async fn changed(&mut self, deadline: Instant) -> bool {
        // The inner error would mean that the poller is gone, but it lives as long as the service.
        timeout_at(deadline, self.wake_up.changed()).await.is_ok()
    }

    /// Returns whether the service is shutting down. A waiting request then returns the changes that it has found.
    pub(super) fn is_closing(&self) -> bool {
        *self.wake_up.borrow()
    }
}

/// Polls the ledger for as long as the service runs, and wakes the waiting requests when it has a new change.
pub async fn watch(poller: Arc<LedgerPoller>, parameters: ConnectionParameters) {
    let (mut conn, mut last) = (None, None);
    loop {
        poller.until_a_request_waits().await;
        sleep(POLL_INTERVAL).await;
        // While the database cannot be reached, waiting requests get that error from their own reads.
        let Ok(newest) = poll(&parameters, &mut conn).await else {
            conn = None;
            continue;
        };
        if last != Some(newest) {
            last = Some(newest);
            poller.wake(false);
        }
    }
}

/// Returns the place of the newest visible change. Opens the connection when there is none.
async fn poll(parameters: &ConnectionParameters, conn: &mut Option<Conn>) -> Result<Mark> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(establish(parameters).await?),
    };
    timeout(POLL_LIMIT, store::newest(conn)).await.map_err(|_| Error::Unavailable)?
}
