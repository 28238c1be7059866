//! The connections that a worker's reads share.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use diesel_async::SimpleAsyncConnection as _;
use tokio::{sync::Mutex, time::timeout};

use super::{Conn, establish};
use crate::problem::Result;

/// How long a connection that failed a read may take to show that it lives.
const PROBE_LIMIT: Duration = Duration::from_millis(300);

/// A few connections of one worker; each read takes the next.
#[derive(Clone)]
pub(super) struct Shared(Rc<Inner>);

struct Inner {
    url: String,
    slots: Vec<RefCell<Option<Rc<Conn>>>>,
    next: Cell<usize>,
    opening: Mutex<()>,
}

impl Shared {
    pub(super) fn new(url: &str, width: usize) -> Self {
        let slots = (0..width.max(1)).map(|_| RefCell::new(None)).collect();
        Self(Rc::new(Inner { url: url.to_owned(), slots, next: Cell::new(0), opening: Mutex::new(()) }))
    }

    /// The next connection, opened when it is not, and the slot that it stands in.
    pub(super) async fn connection(&self) -> Result<(usize, Rc<Conn>)> {
        let slot = self.0.next.get();
        self.0.next.set((slot + 1) % self.0.slots.len());
        if let Some(conn) = self.standing(slot) {
            return Ok((slot, conn));
        }
        // One opens, the others wait for it: a crowd does not storm a server that has just come back.
        let _opening = self.0.opening.lock().await;
        if let Some(conn) = self.standing(slot) {
            return Ok((slot, conn));
        }
        let conn = Rc::new(establish(self.0.url.clone()).await?);
        self.0.slots[slot].replace(Some(Rc::clone(&conn)));
        Ok((slot, conn))
    }

    /// Forgets the connection when it does not answer: the next read opens another.
    pub(super) async fn discard_if_broken(&self, slot: usize, conn: &Rc<Conn>) {
        let mut probe = &**conn;
        if timeout(PROBE_LIMIT, probe.batch_execute("")).await.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
        let mut standing = self.0.slots[slot].borrow_mut();
        if standing.as_ref().is_some_and(|standing| Rc::ptr_eq(standing, conn)) {
            *standing = None;
        }
    }

    fn standing(&self, slot: usize) -> Option<Rc<Conn>> {
        self.0.slots[slot].borrow().clone()
    }
}
