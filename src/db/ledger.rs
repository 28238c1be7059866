//! How far the ledger of changes has come: whoever kept an answer learns whether anything was written since.

use diesel::{dsl::max, prelude::*};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::{Conn, Db, lookup::Lookup};
use crate::{
    problem::Result,
    schema::changes::{self, dsl},
};

/// How far the ledger has come, of one collection.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Which ledger: transactions of another one are counted otherwise.
    id: String,
    /// All transactions before this one have ended: what they wrote has been seen.
    horizon: i64,
    /// The newest transaction that has written in the collection.
    newest: i64,
}

impl Ledger {
    /// Whether nothing was written in the collection after what was read when, or after, the ledger had come to `earlier`.
    pub fn is_as_at(&self, earlier: &Self) -> bool {
        self.newest < earlier.horizon && self.id == earlier.id
    }
}

/// The ledger, by collection.
struct ByCollection;

impl Lookup for ByCollection {
    type Sight = ();
    type Key = &'static str;
    type Row = (&'static str, Ledger);

    fn key(row: &Self::Row) -> &'static str {
        row.0
    }

    async fn load(conn: &Conn, (): &(), collections: Vec<&'static str>) -> Result<Vec<Self::Row>> {
        try_join_all(collections.into_iter().map(|collection| of_one(conn, collection))).await
    }
}

async fn of_one(mut conn: &Conn, collection: &'static str) -> Result<(&'static str, Ledger)> {
    let newest = changes::table.filter(dsl::resource.eq(collection)).select(max(dsl::xid)).single_value();
    // In one statement, which sees one state of the database.
    let query = diesel::select((ledger_id(), ledger_horizon(), newest));
    let (id, horizon, newest) = query.first::<(String, i64, Option<i64>)>(&mut conn).await?;
    Ok((collection, Ledger { id, horizon, newest: newest.unwrap_or_default() }))
}

impl Db {
    /// How far the ledger has come of a collection, such as `events`; asked together with others who ask at the same time.
    ///
    /// # Errors
    /// [`crate::problem::Error::Unavailable`] when the database is away or too slow.
    pub async fn ledger(&self, collection: &'static str) -> Result<Ledger> {
        self.look_up::<ByCollection>((), collection).await.map(|(_, ledger)| ledger)
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Which ledger it is.
    fn ledger_id() -> Text;
    /// The oldest transaction that can still commit.
    fn ledger_horizon() -> BigInt;
}
