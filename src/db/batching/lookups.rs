//! Coalesced lookups: one statement reads the rows that are requested by key at the same time.

use std::{collections::HashMap, hash::Hash};

use futures_util::future::join_all;

use super::coalesce::{Batch, Reply};
use crate::{
    db::{connection::Conn, database::Db, row_limit::Rows},
    problem::{Error, Result},
};

/// The most bytes of rows that one statement reads. The rows that are left are read by the next one.
const STATEMENT_BYTES: usize = 2 * 1024 * 1024;

/// Rows that can be read by key, several in one statement.
pub trait Lookup: 'static {
    /// The rows that a caller may see. Callers that may see the same rows share a statement.
    type Visibility: Clone + Eq + Hash;
    /// The key of a row.
    type Key: Clone + Eq + Hash;
    /// The row.
    type Row: Clone;

    /// Returns the key of a row.
    fn key(row: &Self::Row) -> Self::Key;

    /// Loads the rows with these keys that may be seen, in any order, as many as have at most `most` bytes.
    fn load(
        conn: &Conn,
        visibility: &Self::Visibility,
        keys: Vec<Self::Key>,
        most: usize,
    ) -> impl Future<Output = Result<Rows<Self::Row>>>;
}

/// The requests that wait for each key.
type Waiting<L> = HashMap<<L as Lookup>::Key, Vec<Reply<<L as Lookup>::Row>>>;

impl Db {
    /// Reads one row by its key, together with other requests for rows of this kind.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Unavailable`] when the database does not answer in time.
    pub async fn look_up<L: Lookup>(&self, visibility: L::Visibility, key: L::Key) -> Result<L::Row> {
        let db = self.clone();
        self.queues.submit::<L, _, _>((visibility, key), async move |batch| load_batch::<L>(&db, batch).await).await
    }
}

async fn load_batch<L: Lookup>(db: &Db, batch: Batch<(L::Visibility, L::Key), L::Row>) {
    let mut groups: HashMap<L::Visibility, Waiting<L>> = HashMap::new();
    for ((visibility, key), reply) in batch {
        groups.entry(visibility).or_default().entry(key).or_default().push(reply);
    }
    join_all(groups.into_iter().map(|(visibility, waiting)| load_group::<L>(db, visibility, waiting))).await;
}

/// Sends a row to the requests that wait for it.
fn answer<L: Lookup>(waiting: &mut Waiting<L>, row: L::Row) {
    let mut replies = waiting.remove(&L::key(&row)).unwrap_or_default();
    let last = replies.pop();
    for reply in replies {
        reply.send(Ok(row.clone()));
    }
    if let Some(reply) = last {
        reply.send(Ok(row));
    }
}

async fn load_group<L: Lookup>(db: &Db, visibility: L::Visibility, mut waiting: Waiting<L>) {
    loop {
        let keys = waiting.keys().cloned().collect();
        let Rows { rows, is_cut } =
            match db.read_lookup(async |conn| L::load(conn, &visibility, keys, STATEMENT_BYTES).await).await {
                Ok(rows) => rows,
                Err(error) => return waiting.into_values().flatten().for_each(|reply| reply.fail(&error)),
            };
        for row in rows {
            answer::<L>(&mut waiting, row);
        }
        if !is_cut {
            break;
        }
    }
    waiting.into_values().flatten().for_each(|reply| reply.send(Err(Error::NotFound)));
}
