//! The connection that a worker's reads of one kind share.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use diesel::connection::InstrumentationEvent;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use tokio::{sync::Mutex, time::timeout};

use super::connection::{Conn, establish_with};
use crate::problem::Result;

/// How long a connection that failed a read may take to show that it lives.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
/// After so many statements a connection makes room for a new one. PostgreSQL keeps some 130 kB of each for as long as the
/// connection lives, and the filters of a list can be combined in thousands of ways.
const MOST_STATEMENTS: usize = 100;

/// A connection of one worker, opened when it is asked for.
#[derive(Clone)]
pub(super) struct SharedConnection(Rc<Inner>);

struct Inner {
    url: String,
    options: &'static str,
    standing: RefCell<Option<Standing>>,
    opening: Mutex<()>,
}

/// A connection, and how many statements it has prepared.
#[derive(Clone)]
struct Standing {
    conn: Rc<Conn>,
    prepared: Arc<AtomicUsize>,
}

impl SharedConnection {
    /// With these settings of the session, beside those of every one.
    pub(super) fn new(url: &str, options: &'static str) -> Self {
        Self(Rc::new(Inner { url: url.to_owned(), options, standing: RefCell::new(None), opening: Mutex::new(()) }))
    }

    /// The connection, opened when it is not, or anew when it has prepared too much.
    pub(super) async fn connection(&self) -> Result<Rc<Conn>> {
        if let Some(conn) = self.standing() {
            return Ok(conn);
        }
        // One opens, the others wait for it: a crowd does not storm a server that has just come back.
        let _opening = self.0.opening.lock().await;
        if let Some(conn) = self.standing() {
            return Ok(conn);
        }
        match self.open().await {
            Ok(standing) => {
                self.0.standing.replace(Some(standing.clone()));
                Ok(standing.conn)
            }
            // Better one that has prepared too much than none.
            Err(error) => self.0.standing.borrow().as_ref().map(|old| Rc::clone(&old.conn)).ok_or(error),
        }
    }

    async fn open(&self) -> Result<Standing> {
        let mut conn = establish_with(self.0.url.clone(), self.0.options).await?;
        let prepared = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&prepared);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                count.fetch_add(1, Relaxed);
            }
        });
        Ok(Standing { conn: Rc::new(conn), prepared })
    }

    /// Forgets the connection when it does not answer: the next read opens another.
    pub(super) async fn discard_if_broken(&self, conn: &Rc<Conn>) {
        let mut probe = &**conn;
        if timeout(PROBE_LIMIT, probe.batch_execute("")).await.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
        let mut standing = self.0.standing.borrow_mut();
        if standing.as_ref().is_some_and(|standing| Rc::ptr_eq(&standing.conn, conn)) {
            *standing = None;
        }
    }

    fn standing(&self) -> Option<Rc<Conn>> {
        let standing = self.0.standing.borrow();
        let fit = standing.as_ref().filter(|standing| standing.prepared.load(Relaxed) < MOST_STATEMENTS);
        fit.map(|standing| Rc::clone(&standing.conn))
    }
}
