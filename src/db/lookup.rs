//! Reads by key that leave together: while one statement is under way, those who ask meanwhile wait for its end, and leave
//! as the next. Who asks when nobody else does waits for nobody.
//!
//! Measured at 64 connections, that takes a third off what PostgreSQL does for a row, and as much off the service; nobody
//! reads what was there before it asked, since no one joins a statement that has left.

use std::{
    any::{Any, TypeId},
    cell::{Cell, RefCell},
    collections::HashMap,
    hash::Hash,
    rc::Rc,
};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::{Conn, Db};
use crate::problem::{Error, Result};

/// What is read by key, as many as are asked for in one statement.
pub trait Lookup: 'static {
    /// What of the table a caller sees: those who see the same are answered together.
    type Sight: Clone + Eq + Hash;
    /// What is asked for.
    type Key: Clone + Eq + Hash;
    /// What is answered.
    type Row: Clone;

    /// The row's own key.
    fn key(row: &Self::Row) -> Self::Key;

    /// Those of these keys that this sight has, in no order.
    fn load(conn: &Conn, sight: &Self::Sight, keys: Vec<Self::Key>) -> impl Future<Output = Result<Vec<Self::Row>>>;
}

/// Those who wait for a key.
type Askers<L> = Vec<oneshot::Sender<Result<<L as Lookup>::Row>>>;
/// Those who see the same, by what they ask for.
type Group<L> = HashMap<<L as Lookup>::Key, Askers<L>>;

/// Those who wait for the statement that is under way.
struct Queue<L: Lookup> {
    waiting: RefCell<HashMap<L::Sight, Group<L>>>,
    is_served: Cell<bool>,
}

/// A worker's queues, one for each kind of lookup.
#[derive(Clone, Default)]
pub(super) struct Queues(Rc<RefCell<HashMap<TypeId, Rc<dyn Any>>>>);

impl Queues {
    /// The row with this key.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Unavailable`] when the database is away.
    pub(super) async fn ask<L: Lookup>(&self, db: &Db, sight: L::Sight, key: L::Key) -> Result<L::Row> {
        let queue = self.of::<L>();
        let (asker, answer) = oneshot::channel();
        queue.waiting.borrow_mut().entry(sight).or_default().entry(key).or_default().push(asker);
        if !queue.is_served.replace(true) {
            let db = db.clone();
            // A task of its own: who asked first may go away.
            actix_web::rt::spawn(async move { Serving(&queue).all(&db).await });
        }
        answer.await.unwrap_or_else(|_| Err(Error::Internal("a lookup was dropped".into())))
    }

    fn of<L: Lookup>(&self) -> Rc<Queue<L>> {
        let mut queues = self.0.borrow_mut();
        let queue = queues
            .entry(TypeId::of::<L>())
            .or_insert_with(|| Rc::new(Queue::<L> { waiting: RefCell::default(), is_served: Cell::new(false) }));
        // It was put there under this type.
        Rc::clone(queue).downcast().unwrap_or_else(|_| unreachable!())
    }
}

/// Serves a queue; however that ends, another may begin.
struct Serving<'a, L: Lookup>(&'a Queue<L>);

impl<L: Lookup> Drop for Serving<'_, L> {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().clear();
        self.0.is_served.set(false);
    }
}

impl<L: Lookup> Serving<'_, L> {
    async fn all(&self, db: &Db) {
        loop {
            let groups = self.0.waiting.take();
            if groups.is_empty() {
                return;
            }
            join_all(groups.into_iter().map(|(sight, group)| answer::<L>(db, sight, group))).await;
        }
    }
}

async fn answer<L: Lookup>(db: &Db, sight: L::Sight, mut group: Group<L>) {
    let keys = group.keys().cloned().collect();
    let rows = match db.read_on(&db.lookups, async |conn| L::load(conn, &sight, keys).await).await {
        Ok(rows) => rows,
        Err(error) => return fail::<L>(group, &error),
    };
    // Who has gone away wants no answer: what sending says does not matter.
    for row in rows {
        let mut askers = group.remove(&L::key(&row)).unwrap_or_default();
        let last = askers.pop();
        askers.into_iter().for_each(|asker| drop(asker.send(Ok(row.clone()))));
        last.map(|asker| asker.send(Ok(row)));
    }
    group.into_values().flatten().for_each(|asker| drop(asker.send(Err(Error::NotFound))));
}

/// The failure is each one's own, with its own request's id in the log.
fn fail<L: Lookup>(group: Group<L>, error: &Error) {
    for asker in group.into_values().flatten() {
        let own = match error {
            Error::Internal(cause) => Error::Internal(cause.to_string().into()),
            _ => Error::Unavailable,
        };
        drop(asker.send(Err(own)));
    }
}
