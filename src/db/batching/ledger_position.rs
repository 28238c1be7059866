//! The position of the change ledger in one collection. It tells whether a cached response is still current.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::lookups::Lookup;
use crate::{
    db::{connection::Conn, database::Db, sql_functions::ledger_horizon},
    problem::Result,
    schema::{changes, changes::dsl},
};

/// The position of the change ledger in one collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LedgerPosition {
    /// Every transaction before this one has ended, and its changes are visible.
    horizon: i64,
    /// The newest change: its transaction, and its number.
    newest: (i64, i64),
}

impl LedgerPosition {
    /// Returns whether nothing was written to the collection since the position was `earlier`.
    ///
    /// The answer is yes only if no transaction older than the newest change was open at the earlier position: such a
    /// transaction could have been committed since, without changing which change is the newest.
    pub(super) fn is_unchanged_since(self, earlier: Self) -> bool {
        self.newest == earlier.newest && earlier.newest.0 < earlier.horizon
    }
}

/// The positions of all collections.
struct ByCollection;

impl Lookup for ByCollection {
    type Visibility = ();
    type Key = &'static str;
    type Row = (&'static str, Option<LedgerPosition>);

    fn key(row: &Self::Row) -> &'static str {
        row.0
    }

    async fn load(conn: &Conn, (): &(), collections: Vec<&'static str>) -> Result<Vec<Self::Row>> {
        try_join_all(collections.into_iter().map(async |name| Ok((name, position(conn, name).await?)))).await
    }
}

async fn position(mut conn: &Conn, collection: &str) -> Result<Option<LedgerPosition>> {
    // One statement sees one state of the database.
    let query = changes::table.filter(dsl::resource.eq(collection)).order((dsl::xid.desc(), dsl::seq.desc()));
    let newest = query.select((ledger_horizon(), (dsl::xid, dsl::seq))).first(&mut conn).await.optional()?;
    Ok(newest.map(|(horizon, newest)| LedgerPosition { horizon, newest }))
}

impl Db {
    /// Returns the position of the ledger in a collection such as `events`; none when nothing was ever written there.
    /// Concurrent calls share one statement.
    pub(super) async fn ledger_position(&self, collection: &'static str) -> Result<Option<LedgerPosition>> {
        self.look_up::<ByCollection>((), collection).await.map(|(_, position)| position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_unchanged_when_nothing_was_written_and_nothing_can_appear_late() {
        let at = |horizon, xid, seq| LedgerPosition { horizon, newest: (xid, seq) };
        let earlier = at(10, 7, 3);
        for (now, unchanged, case) in [
            (at(10, 7, 3), true, "nothing happened"),
            (at(99, 7, 3), true, "other collections were written to"),
            (at(99, 12, 9), false, "a change was written"),
            (at(99, 10, 2), false, "a transaction that was open has been committed"),
            (at(9, 8, 4), false, "the server crashed and reused the number of a lost transaction"),
            (at(99, 0, 2), false, "an older database was restored"),
        ] {
            assert_eq!(now.is_unchanged_since(earlier), unchanged, "{case}");
        }
        let unsettled = at(6, 7, 3);
        assert!(
            !at(99, 7, 3).is_unchanged_since(unsettled),
            "an older transaction was open and may have been committed"
        );
    }
}
