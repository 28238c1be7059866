//! Coalesced inserts: one statement and one commit write the rows that are created at the same time. Each request gets its
//! own result: when the statement fails, each row is inserted alone.

use std::{cell::Cell, collections::HashMap, rc::Rc, time::Duration};

use futures_util::future::{LocalBoxFuture, join_all};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::coalesce::Batch;
use crate::{
    db::{
        connection::Conn,
        database::Db,
        time_limit::TOTAL_LIMIT,
        transaction::{Author, Authors},
    },
    problem::{Error, Result},
};

/// The maximum number of rows in one statement.
const MAX_ROWS: usize = 32;
/// When the database was unavailable for this long during a batch, the rows of the batch are not retried one by one.
const RETRY_LIMIT: Duration = Duration::from_millis(400);

/// A row to insert.
#[derive(Clone)]
pub struct NewRow<T> {
    /// The id that the row gets.
    pub id: Uuid,
    /// Identifies the rows of other tables that PostgreSQL locks for this row: an id, and a word that tells apart several
    /// rows with that id. A batch inserts its rows in this order, so that two batches never deadlock.
    pub locks: (Uuid, &'static str),
    /// The values of the row.
    pub values: T,
}

/// Inserts all of these rows or none, and returns each stored row with its id.
pub type InsertRows<T, R> = for<'c> fn(&'c Conn, Vec<NewRow<T>>) -> LocalBoxFuture<'c, Result<Vec<(Uuid, R)>>>;

impl Db {
    /// Inserts a row, together with other rows that are inserted by the same function at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer in time, otherwise the error that `insert` returns for this
    /// row.
    pub async fn insert<T: Clone + 'static, R: 'static>(
        &self,
        author: Author,
        row: NewRow<T>,
        insert: InsertRows<T, R>,
    ) -> Result<R> {
        let db = self.clone();
        let serve = async move |batch| insert_in_batches(&db, batch, insert).await;
        self.queues.submit::<InsertRows<T, R>, _, _>((author, row), serve).await
    }
}

async fn insert_in_batches<T: Clone + 'static, R: 'static>(
    db: &Db,
    mut rows: Batch<(Author, NewRow<T>), R>,
    insert: InsertRows<T, R>,
) {
    rows.sort_by_key(|((_, row), _)| row.locks);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        insert_batch(db, rows.by_ref().take(MAX_ROWS).collect(), insert).await;
    }
}

async fn insert_batch<T: Clone + 'static, R: 'static>(
    db: &Db,
    batch: Batch<(Author, NewRow<T>), R>,
    insert: InsertRows<T, R>,
) {
    let (authors, rows) = batch.iter().map(|((author, row), _)| ((row.id, author.clone()), row.clone())).unzip();
    let (start, inserted) = (Instant::now(), Rc::new(Cell::new(false)));
    let is_inserted = Rc::clone(&inserted);
    let writing = db.write_as(Authors::OfRows(authors), async move |conn| {
        let rows = insert(conn, rows).await?;
        is_inserted.set(true);
        Ok(rows)
    });
    match writing.await {
        Ok(rows) => {
            let mut rows: HashMap<Uuid, R> = rows.into_iter().collect();
            for ((_, row), reply) in batch {
                reply.send(rows.remove(&row.id).ok_or(Error::NotFound));
            }
        }
        // The rows may have been committed although the answer was lost. Inserting them again would report a conflict.
        Err(error) if inserted.get() || (matches!(error, Error::Unavailable) && start.elapsed() > RETRY_LIMIT) => {
            for (_, reply) in batch {
                reply.fail(&error);
            }
        }
        Err(error) if batch.len() == 1 && !matches!(error, Error::Unavailable) => {
            if let Some((_, reply)) = batch.into_iter().next() {
                reply.send(Err(error));
            }
        }
        // In a separate task, so that the next batch does not wait for a row that waits for a lock.
        Err(_) => drop(actix_web::rt::spawn(insert_each(db.clone(), batch, insert, start + TOTAL_LIMIT))),
    }
}

async fn insert_each<T: 'static, R: 'static>(
    db: Db,
    batch: Batch<(Author, NewRow<T>), R>,
    insert: InsertRows<T, R>,
    deadline: Instant,
) {
    join_all(batch.into_iter().map(async |((author, row), reply)| {
        let writing = db.write(author, async move |conn| insert(conn, vec![row]).await);
        let rows = timeout_at(deadline, writing).await.unwrap_or(Err(Error::Unavailable));
        reply.send(rows.and_then(|rows| rows.into_iter().next().map(|(_, row)| row).ok_or(Error::NotFound)));
    }))
    .await;
}
