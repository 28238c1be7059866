//! What is asked of the database at the same time leaves together: while one statement is under way, those who come
//! meanwhile wait for its end, and leave as the next. Who asks when nobody else does waits for nobody.
//!
//! Nobody joins what has left already: who has written reads what it wrote. What it saves is in `benches/results.md`.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::sync::oneshot;

use super::Db;
use crate::problem::{Error, Result};

/// So many turns of the worker's event loop those who ask let others join, whose requests have arrived but have not been
/// read yet: microseconds, and no time at all when there are none.
const TURNS: usize = 2;

/// A kind of thing that is asked of the database together.
pub(super) trait Gathered: Sized + 'static {
    /// What one asks.
    type Ask;
    /// What one is answered.
    type Answer;

    /// Answers those who have waited; the next ones wait until this ends.
    fn serve(db: &Db, waiting: Vec<Waiting<Self>>) -> impl Future<Output = ()>;
}

/// One who waits for an answer.
pub(super) struct Asker<T>(oneshot::Sender<Result<T>>);

impl<T> Asker<T> {
    /// Tells it; who has gone away wants no answer.
    pub(super) fn answer(self, answer: Result<T>) {
        drop(self.0.send(answer));
    }

    /// Tells it of a failure of all: each has its own request's id in the log.
    pub(super) fn fail(self, error: &Error) {
        self.answer(Err(match error {
            Error::Internal(cause) => Error::Internal(cause.to_string().into()),
            _ => Error::Unavailable,
        }));
    }
}

/// What is asked, and who asks it.
pub(super) type Waiting<G> = (<G as Gathered>::Ask, Asker<<G as Gathered>::Answer>);

/// Those who wait, and whether somebody serves them.
struct Queue<G: Gathered> {
    waiting: RefCell<Vec<Waiting<G>>>,
    is_served: Cell<bool>,
}

/// A worker's queues, one for each kind; there are few.
#[derive(Clone, Default)]
pub(super) struct Queues(Rc<RefCell<Vec<Rc<dyn Any>>>>);

impl Queues {
    fn of<G: Gathered>(&self) -> Rc<Queue<G>> {
        let mut queues = self.0.borrow_mut();
        if let Some(queue) = queues.iter().find_map(|queue| Rc::clone(queue).downcast().ok()) {
            return queue;
        }
        let queue = Rc::new(Queue::<G> { waiting: RefCell::default(), is_served: Cell::new(false) });
        queues.push(Rc::clone(&queue) as _);
        queue
    }
}

impl Db {
    /// Asks this together with others of its kind.
    pub(super) async fn gather<G: Gathered>(&self, ask: G::Ask) -> Result<G::Answer> {
        let queue = self.queues.of::<G>();
        let (asker, answer) = oneshot::channel();
        queue.waiting.borrow_mut().push((ask, Asker(asker)));
        if !queue.is_served.replace(true) {
            let db = self.clone();
            // A task of its own: who asked first may go away.
            actix_web::rt::spawn(async move { Serving(&queue).all(&db).await });
        }
        answer.await.unwrap_or_else(|_| Err(Error::Internal("nobody answered".into())))
    }
}

/// Serves a queue; however that ends, another may begin.
struct Serving<'a, G: Gathered>(&'a Queue<G>);

impl<G: Gathered> Drop for Serving<'_, G> {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().clear();
        self.0.is_served.set(false);
    }
}

impl<G: Gathered> Serving<'_, G> {
    async fn all(&self, db: &Db) {
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let waiting = self.0.waiting.take();
            if waiting.is_empty() {
                return;
            }
            G::serve(db, waiting).await;
        }
    }
}
