//! The connection that a worker's reads of one kind share.

use std::{cell::RefCell, rc::Rc, time::Duration};

use diesel_async::SimpleAsyncConnection as _;
use tokio::{sync::Mutex, time::timeout};

use super::{Conn, establish_with};
use crate::problem::Result;

/// How long a connection that failed a read may take to show that it lives.
const PROBE_LIMIT: Duration = Duration::from_millis(300);

/// A connection of one worker, opened when it is asked for.
#[derive(Clone)]
pub(super) struct Shared(Rc<Inner>);

struct Inner {
    url: String,
    options: &'static str,
    standing: RefCell<Option<Rc<Conn>>>,
    opening: Mutex<()>,
}

impl Shared {
    /// With these settings of the session, beside those of every one.
    pub(super) fn new(url: &str, options: &'static str) -> Self {
        Self(Rc::new(Inner { url: url.to_owned(), options, standing: RefCell::new(None), opening: Mutex::new(()) }))
    }

    /// The connection, opened when it is not.
    pub(super) async fn connection(&self) -> Result<Rc<Conn>> {
        if let Some(conn) = self.standing() {
            return Ok(conn);
        }
        // One opens, the others wait for it: a crowd does not storm a server that has just come back.
        let _opening = self.0.opening.lock().await;
        if let Some(conn) = self.standing() {
            return Ok(conn);
        }
        let conn = Rc::new(establish_with(self.0.url.clone(), self.0.options).await?);
        self.0.standing.replace(Some(Rc::clone(&conn)));
        Ok(conn)
    }

    /// Forgets the connection when it does not answer: the next read opens another.
    pub(super) async fn discard_if_broken(&self, conn: &Rc<Conn>) {
        let mut probe = &**conn;
        if timeout(PROBE_LIMIT, probe.batch_execute("")).await.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
        let mut standing = self.0.standing.borrow_mut();
        if standing.as_ref().is_some_and(|standing| Rc::ptr_eq(standing, conn)) {
            *standing = None;
        }
    }

    fn standing(&self) -> Option<Rc<Conn>> {
        self.0.standing.borrow().clone()
    }
}
