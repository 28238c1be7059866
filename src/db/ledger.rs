//! How far the ledger of changes has come: whoever kept an answer learns whether anything was written since.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::{Conn, Db, lookup::Lookup};
use crate::{
    problem::Result,
    schema::changes::{self, dsl},
};

/// How far the ledger has come, of one collection.
#[derive(Clone, Copy, Debug)]
pub struct Ledger {
    /// All transactions before this one have ended: what they wrote has been seen.
    horizon: i64,
    /// The newest change: its transaction, and its number.
    newest: (i64, i64),
}

impl Ledger {
    /// Whether nothing was written in the collection after what was read when, or after, the ledger had come to `earlier`.
    ///
    /// Nothing that was under way then may be older than the newest change: it could still be committed, and that would
    /// stay the newest.
    pub fn is_as_at(self, earlier: Self) -> bool {
        self.newest == earlier.newest && earlier.newest.0 < earlier.horizon
    }
}

/// The ledger, by collection.
struct ByCollection;

impl Lookup for ByCollection {
    type Sight = ();
    type Key = &'static str;
    type Row = (&'static str, Option<Ledger>);

    fn key(row: &Self::Row) -> &'static str {
        row.0
    }

    async fn load(conn: &Conn, (): &(), collections: Vec<&'static str>) -> Result<Vec<Self::Row>> {
        try_join_all(collections.into_iter().map(async |of| Ok((of, of_one(conn, of).await?)))).await
    }
}

async fn of_one(mut conn: &Conn, collection: &str) -> Result<Option<Ledger>> {
    // In one statement, which sees one state of the database.
    let query = changes::table.filter(dsl::resource.eq(collection)).order((dsl::xid.desc(), dsl::seq.desc()));
    let newest = query.select((ledger_horizon(), (dsl::xid, dsl::seq))).first(&mut conn).await.optional()?;
    Ok(newest.map(|(horizon, newest)| Ledger { horizon, newest }))
}

impl Db {
    /// How far the ledger has come of a collection, such as `events`, if anything was ever written there; asked together with
    /// others who ask at the same time.
    ///
    /// # Errors
    /// [`crate::problem::Error::Unavailable`] when the database is away or too slow.
    pub async fn ledger(&self, collection: &'static str) -> Result<Option<Ledger>> {
        self.look_up::<ByCollection>((), collection).await.map(|(_, ledger)| ledger)
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The oldest transaction that can still commit.
    fn ledger_horizon() -> BigInt;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_it_was_when_nothing_was_written_or_can_come_late() {
        let at = |horizon, xid, seq| Ledger { horizon, newest: (xid, seq) };
        let kept = at(10, 7, 3);
        for (now, same, why) in [
            (at(10, 7, 3), true, "nothing happened"),
            (at(99, 7, 3), true, "others wrote in other collections"),
            (at(99, 12, 9), false, "somebody wrote"),
            (at(99, 10, 2), false, "somebody whose transaction was under way has committed"),
            (at(9, 8, 4), false, "the server fell, and gave the number of a lost transaction again"),
            (at(99, 0, 2), false, "an older database was restored"),
        ] {
            assert_eq!(now.is_as_at(kept), same, "{why}");
        }
        assert!(!at(99, 7, 3).is_as_at(at(6, 7, 3)), "an older transaction was under way, and may have committed");
    }
}
