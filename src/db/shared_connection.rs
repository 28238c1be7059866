//! The connection that all reads of one kind share in a worker.

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
use crate::{connection_parameters::ConnectionParameters, problem::Result};

/// The longest time in which a connection must answer the probe after a read on it has failed.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
/// The number of prepared statements at which a connection is replaced. PostgreSQL keeps about 130 kB for each of them
/// until the connection is closed, and the filters of a list can be combined in thousands of ways.
const MAX_STATEMENTS: usize = 100;

/// A connection of one worker. It is opened when it is first needed.
#[derive(Clone)]
pub(super) struct SharedConnection(Rc<Inner>);

struct Inner {
    parameters: ConnectionParameters,
    settings: &'static str,
    current: RefCell<Option<Counted>>,
    opening: Mutex<()>,
}

/// A connection, and the number of statements that it has prepared.
#[derive(Clone)]
struct Counted {
    conn: Rc<Conn>,
    prepared: Arc<AtomicUsize>,
}

impl SharedConnection {
    /// Describes a connection that will be opened with these settings in addition to those of every session.
    pub(super) fn new(parameters: &ConnectionParameters, settings: &'static str) -> Self {
        let (current, opening) = (RefCell::new(None), Mutex::new(()));
        Self(Rc::new(Inner { parameters: parameters.clone(), settings, current, opening }))
    }

    /// Returns the connection. Opens one if there is none, and replaces one that has prepared too many statements.
    pub(super) async fn connection(&self) -> Result<Rc<Conn>> {
        if let Some(conn) = self.usable() {
            return Ok(conn);
        }
        // The first read opens the connection and the others wait for it, so that a PostgreSQL server that has just come
        // back gets only one connection attempt.
        let _opening = self.0.opening.lock().await;
        if let Some(conn) = self.usable() {
            return Ok(conn);
        }
        match self.open().await {
            Ok(opened) => {
                self.0.current.replace(Some(opened.clone()));
                Ok(opened.conn)
            }
            // A connection that has prepared too many statements is better than none.
            Err(error) => self.0.current.borrow().as_ref().map(|old| Rc::clone(&old.conn)).ok_or(error),
        }
    }

    async fn open(&self) -> Result<Counted> {
        let mut conn = establish_with(&self.0.parameters, self.0.settings).await?;
        let prepared = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&prepared);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                count.fetch_add(1, Relaxed);
            }
        });
        Ok(Counted { conn: Rc::new(conn), prepared })
    }

    /// Discards the connection if it does not answer a probe, so that the next read opens another.
    pub(super) async fn discard_if_broken(&self, conn: &Rc<Conn>) {
        let mut probe = &**conn;
        if timeout(PROBE_LIMIT, probe.batch_execute("")).await.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
        let mut current = self.0.current.borrow_mut();
        if current.as_ref().is_some_and(|current| Rc::ptr_eq(&current.conn, conn)) {
            *current = None;
        }
    }

    /// Returns the open connection, unless it has prepared too many statements.
    fn usable(&self) -> Option<Rc<Conn>> {
        let current = self.0.current.borrow();
        let usable = current.as_ref().filter(|current| current.prepared.load(Relaxed) < MAX_STATEMENTS);
        usable.map(|current| Rc::clone(&current.conn))
    }
}
