//! Coalesces concurrent queries: requests that arrive while a statement is in flight are sent as the next batch.
//!
//! A request never joins a statement that has been sent already, so a caller always reads its own writes.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    marker::PhantomData,
    rc::Rc,
};

use tokio::sync::oneshot;

use crate::problem::{Error, Result};

/// How many turns of the worker's event loop a batch waits, so that requests that have arrived but have not been read yet
/// can join it. That takes microseconds under load, and no time on an idle worker.
const TURNS: usize = 2;

/// The sender of an answer to one request of a batch.
pub(super) struct Reply<R>(oneshot::Sender<Result<R>>);

impl<R> Reply<R> {
    /// Sends the answer. A request whose client has disconnected does not need it.
    pub(super) fn send(self, answer: Result<R>) {
        drop(self.0.send(answer));
    }

    /// Sends the failure of the whole batch. Each request logs it with its own id.
    pub(super) fn fail(self, error: &Error) {
        self.send(Err(match error {
            Error::Internal(cause) => Error::Internal(cause.to_string().into()),
            _ => Error::Unavailable,
        }));
    }
}

/// The requests of a batch, each with the sender of its answer.
pub(super) type Batch<A, R> = Vec<(A, Reply<R>)>;

/// The requests of one kind that wait for the next batch.
struct Queue<K, A, R> {
    waiting: RefCell<Batch<A, R>>,
    is_served: Cell<bool>,
    kind: PhantomData<K>,
}

/// A worker's queues, one for each kind of request. There are so few that a linear search finds one quickly.
#[derive(Clone, Default)]
pub(in crate::db) struct Queues(Rc<RefCell<Vec<Rc<dyn Any>>>>);

impl Queues {
    /// Adds a request to the next batch of the kind `K`, and waits for its answer. `serve` answers a batch.
    pub(super) async fn submit<K: 'static, A: 'static, R: 'static>(
        &self,
        request: A,
        serve: impl AsyncFn(Batch<A, R>) + 'static,
    ) -> Result<R> {
        let queue = self.of_kind::<K, A, R>();
        let (sender, answer) = oneshot::channel();
        queue.waiting.borrow_mut().push((request, Reply(sender)));
        if !queue.is_served.replace(true) {
            // In a separate task, because the client of the first request may disconnect.
            actix_web::rt::spawn(async move { Serving(&queue).serve_all(serve).await });
        }
        answer.await.unwrap_or_else(|_| Err(Error::Internal("a batch ended without an answer".into())))
    }

    fn of_kind<K: 'static, A: 'static, R: 'static>(&self) -> Rc<Queue<K, A, R>> {
        let mut queues = self.0.borrow_mut();
        if let Some(queue) = queues.iter().find_map(|queue| Rc::clone(queue).downcast().ok()) {
            return queue;
        }
        let queue =
            Rc::new(Queue::<K, A, R> { waiting: RefCell::default(), is_served: Cell::new(false), kind: PhantomData });
        queues.push(Rc::clone(&queue) as _);
        queue
    }
}

/// A queue while its batches are served. Dropping it, even after a panic, lets another request begin to serve the queue.
struct Serving<'a, K, A, R>(&'a Queue<K, A, R>);

impl<K, A, R> Drop for Serving<'_, K, A, R> {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().clear();
        self.0.is_served.set(false);
    }
}

impl<K, A, R> Serving<'_, K, A, R> {
    async fn serve_all(&self, serve: impl AsyncFn(Batch<A, R>)) {
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let batch = self.0.waiting.take();
            if batch.is_empty() {
                return;
            }
            serve(batch).await;
        }
    }
}
