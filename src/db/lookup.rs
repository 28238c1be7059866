//! Rows by key: those who ask at the same time are answered from one statement.

use std::{collections::HashMap, hash::Hash, marker::PhantomData};

use futures_util::future::join_all;

use super::{
    Conn, Db,
    gather::{Asker, Gathered, Waiting},
};
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

/// Rows of this kind, as they are asked for.
struct Asked<L>(PhantomData<L>);

/// Those who wait for a key.
type Askers<L> = Vec<Asker<<L as Lookup>::Row>>;

impl<L: Lookup> Gathered for Asked<L> {
    type Ask = (L::Sight, L::Key);
    type Answer = L::Row;

    async fn serve(db: &Db, waiting: Vec<Waiting<Self>>) {
        let mut groups: HashMap<L::Sight, HashMap<L::Key, Askers<L>>> = HashMap::new();
        for ((sight, key), asker) in waiting {
            groups.entry(sight).or_default().entry(key).or_default().push(asker);
        }
        join_all(groups.into_iter().map(|(sight, group)| answer::<L>(db, sight, group))).await;
    }
}

impl Db {
    /// Reads one row by its key, together with others who ask at the same time.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Unavailable`] when the database is away or too slow.
    pub async fn look_up<L: Lookup>(&self, sight: L::Sight, key: L::Key) -> Result<L::Row> {
        self.gather::<Asked<L>>((sight, key)).await
    }
}

async fn answer<L: Lookup>(db: &Db, sight: L::Sight, mut group: HashMap<L::Key, Askers<L>>) {
    let keys = group.keys().cloned().collect();
    let rows = match db.read_on(&db.lookups, async |conn| L::load(conn, &sight, keys).await).await {
        Ok(rows) => rows,
        Err(error) => return group.into_values().flatten().for_each(|asker| asker.fail(&error)),
    };
    for row in rows {
        let mut askers = group.remove(&L::key(&row)).unwrap_or_default();
        let last = askers.pop();
        for asker in askers {
            asker.answer(Ok(row.clone()));
        }
        if let Some(asker) = last {
            asker.answer(Ok(row));
        }
    }
    group.into_values().flatten().for_each(|asker| asker.answer(Err(Error::NotFound)));
}
