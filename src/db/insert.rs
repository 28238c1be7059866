//! Inserts: what several callers make at the same time is one statement and one commit. Each gets its own answer: when the
//! statement fails, each is made alone.

use std::{cell::Cell, collections::HashMap, marker::PhantomData, rc::Rc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{
    Author, Conn, Db, Signature, TOGETHER_LIMIT,
    gather::{Gathered, Waiting},
};
use crate::problem::{Error, Result};

/// How many rows leave together at most.
const MOST: usize = 32;
/// A database that is away for that long is not asked again for each alone.
const PATIENCE: Duration = Duration::from_millis(400);

/// What is made together with others of its kind.
pub trait Insert: 'static {
    /// What is made.
    type New: Clone;
    /// What it is once it is stored.
    type Row;
    /// What the database locks for it: rows that are made together are made in this order, so that two statements never
    /// wait for each other.
    type Lock: Ord;

    /// The id that it was given.
    fn id(new: &Self::New) -> Uuid;

    /// What is locked for it.
    fn lock(new: &Self::New) -> Self::Lock;

    /// The id of what is stored.
    fn stored_id(row: &Self::Row) -> Uuid;

    /// Makes all of these, or none.
    fn insert(conn: &Conn, new: Vec<Self::New>) -> impl Future<Output = Result<Vec<Self::Row>>>;
}

/// What is made of this kind.
struct Made<I>(PhantomData<I>);

impl<I: Insert> Gathered for Made<I> {
    type Ask = (Author, I::New);
    type Answer = I::Row;

    async fn serve(db: &Db, mut waiting: Vec<Waiting<Made<I>>>) {
        waiting.sort_by_key(|((_, new), _)| I::lock(new));
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() {
            together::<I>(db, waiting.by_ref().take(MOST).collect()).await;
        }
    }
}

impl Db {
    /// Makes one of these, together with others that are made at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away or too slow, else what stands against this one.
    pub async fn insert<I: Insert>(&self, author: Author, new: I::New) -> Result<I::Row> {
        self.gather::<Made<I>>((author, new)).await
    }
}

async fn together<I: Insert>(db: &Db, waiting: Vec<Waiting<Made<I>>>) {
    let (authors, new) = waiting.iter().map(|((author, new), _)| ((I::id(new), author.clone()), new.clone())).unzip();
    let (began, made) = (Instant::now(), Rc::new(Cell::new(false)));
    let is_made = Rc::clone(&made);
    let writing = db.write_signed(Signature::Many(authors), async move |conn| {
        let rows = I::insert(conn, new).await?;
        is_made.set(true);
        Ok(rows)
    });
    match writing.await {
        Ok(rows) => {
            let mut rows: HashMap<Uuid, I::Row> = rows.into_iter().map(|row| (I::stored_id(&row), row)).collect();
            for ((_, new), asker) in waiting {
                asker.answer(rows.remove(&I::id(&new)).ok_or(Error::NotFound));
            }
        }
        // What was made may have been committed, though nobody was told: to make it again would be to refuse it.
        Err(error) if made.get() || (matches!(error, Error::Unavailable) && began.elapsed() > PATIENCE) => {
            for (_, asker) in waiting {
                asker.fail(&error);
            }
        }
        Err(error) if waiting.len() == 1 && !matches!(error, Error::Unavailable) => {
            if let Some((_, asker)) = waiting.into_iter().next() {
                asker.answer(Err(error));
            }
        }
        // Those who come next need not wait for one that waits for a lock.
        Err(_) => drop(actix_web::rt::spawn(alone::<I>(db.clone(), waiting, began + TOGETHER_LIMIT))),
    }
}

async fn alone<I: Insert>(db: Db, waiting: Vec<Waiting<Made<I>>>, deadline: Instant) {
    join_all(waiting.into_iter().map(async |((author, new), asker)| {
        let making = db.write(author, async move |conn| I::insert(conn, vec![new]).await);
        let made = timeout_at(deadline, making).await.unwrap_or(Err(Error::Unavailable));
        asker.answer(made.and_then(|rows| rows.into_iter().next().ok_or(Error::NotFound)));
    }))
    .await;
}
