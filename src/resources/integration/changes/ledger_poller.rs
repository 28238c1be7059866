//! Waking those who wait: one connection of the process looks for what is new, and only while somebody waits.
//!
//! PostgreSQL's NOTIFY would do it too, but it lets the commits of all who announce something pass one by one: with a
//! disk that is waited for, ten times fewer writes. And what is announced may not count yet.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{model::Position, store};
use crate::{
    admission::{Admission, Permit},
    auth::reach::Identity,
    db::{Conn, establish},
    problem::{Error, Result},
};

/// How many requests of the process may wait at a time.
const MAX_WAITING: usize = 1000;
/// How many of them may be of one caller.
const MAX_WAITING_PER_CALLER: usize = 400;
/// How often one looks while somebody waits.
const EVERY: Duration = Duration::from_millis(100);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Wakes those who wait for a change of the ledger.
#[derive(Debug)]
pub struct LedgerPoller {
    /// Sent when there is something new; true once the service stops.
    sender: watch::Sender<bool>,
    admission: Admission<Identity>,
    wanted: Notify,
}

/// A place among those who wait. It is taken before the ledger is read, so that nothing is missed between.
#[derive(Debug)]
pub(super) struct Place {
    receiver: watch::Receiver<bool>,
    _permit: Permit<Identity>,
}

impl Default for LedgerPoller {
    fn default() -> Self {
        let admission = Admission::new(MAX_WAITING, MAX_WAITING_PER_CALLER);
        Self { sender: watch::Sender::new(false), admission, wanted: Notify::new() }
    }
}

impl LedgerPoller {
    /// A place among those who wait.
    ///
    /// # Errors
    /// [`Error::TooManyWaiting`] when none is free, or the caller has as many as one may.
    pub(super) fn take_place(&self, caller: &Identity) -> Result<Place> {
        let permit = self.admission.admit(caller).ok_or(Error::TooManyWaiting)?;
        let receiver = self.sender.subscribe();
        self.wanted.notify_one();
        Ok(Place { receiver, _permit: permit })
    }

    /// Sends those who wait home: the service stops.
    pub fn close(&self) {
        self.wake(true);
    }

    async fn until_somebody_waits(&self) {
        while self.admission.is_idle() {
            self.wanted.notified().await;
        }
    }

    fn wake(&self, stopping: bool) {
        self.sender.send_modify(|stops| *stops |= stopping);
    }
}

impl Place {
    /// Waits for something new, until then at most; whether it came.
    pub(super) async fn wait(&mut self, until: Instant) -> bool {
        // The sender lives as long as the service: an error of it cannot be.
        timeout_at(until, self.receiver.changed()).await.is_ok()
    }

    /// Whether the service stops: who waits is answered with what there is.
    pub(super) fn is_closing(&self) -> bool {
        *self.receiver.borrow()
    }
}

/// Looks for what is new, for as long as the service runs.
pub async fn watch(news: Arc<LedgerPoller>, database_url: String) {
    let (mut conn, mut known) = (None, None);
    loop {
        news.until_somebody_waits().await;
        sleep(EVERY).await;
        // While the database is away, those who wait learn it when they read.
        let Ok(newest) = look(&database_url, &mut conn).await else {
            conn = None;
            continue;
        };
        if known != Some(newest) {
            known = Some(newest);
            news.wake(false);
        }
    }
}

async fn look(database_url: &str, conn: &mut Option<Conn>) -> Result<Option<Position>> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(establish(database_url.to_owned()).await?),
    };
    timeout(PATIENCE, store::newest(conn)).await.map_err(|_| Error::Unavailable)?
}
