//! The position of the change ledger in one collection. It tells whether a cached response is still current.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::lookups::Lookup;
use crate::{
    db::{connection::Conn, database::Db, row_limit::Rows, sql_functions::ledger_horizon},
    problem::Result,
    schema::{changes, changes::dsl, ledger_epochs},
};

/// The position of the change ledger in one collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LedgerPosition {
    /// The id of the current epoch. Answers of another epoch may be from a state that was lost.
    epoch: Uuid,
    /// The ordinal of the current epoch, and the oldest transaction that can still commit. Every change before is visible.
    horizon: (i32, i64),
    /// The newest change.
    newest: Newest,
}

/// A change: its epoch and transaction, its number, and its time, which differs if another history has the same numbers.
type Newest = ((i32, i64), i64, DateTime<Utc>);

impl LedgerPosition {
    /// Returns whether nothing was written to the collection since the position was `earlier`.
    ///
    /// The answer is yes only if no transaction older than the newest change was open at the earlier position: such a
    /// transaction could have been committed since, without changing which change is the newest.
    pub(super) fn is_unchanged_since(self, earlier: Self) -> bool {
        self.epoch == earlier.epoch && self.newest == earlier.newest && earlier.newest.0 < earlier.horizon
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

    async fn load(conn: &Conn, (): &(), collections: Vec<&'static str>, _: usize) -> Result<Rows<Self::Row>> {
        let positions = collections.into_iter().map(async |name| Ok((name, position(conn, name).await?)));
        try_join_all(positions).await.map(Rows::from)
    }
}

async fn position(mut conn: &Conn, collection: &str) -> Result<Option<LedgerPosition>> {
    // One statement sees one state of the database.
    let epochs = ledger_epochs::table.order(ledger_epochs::ordinal.desc());
    let epoch = epochs.select(ledger_epochs::id).limit(1).single_value().assume_not_null();
    let ordinal = epochs.select(ledger_epochs::ordinal).limit(1).single_value().assume_not_null();
    let of_collection = changes::table.filter(dsl::resource.eq(collection));
    let newest_first = of_collection.order((dsl::epoch.desc(), dsl::xid.desc(), dsl::seq.desc()));
    let newest = ((dsl::epoch, dsl::xid), dsl::seq, dsl::changed_at);
    let query = newest_first.select((epoch, (ordinal, ledger_horizon()), newest));
    let found = query.first(&mut conn).await.optional()?;
    Ok(found.map(|(epoch, horizon, newest)| LedgerPosition { epoch, horizon, newest }))
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
        let at = |horizon, xid, seq| LedgerPosition {
            epoch: Uuid::from_u128(2),
            horizon: (2, horizon),
            newest: ((2, xid), seq, DateTime::UNIX_EPOCH),
        };
        let earlier = at(10, 7, 3);
        let later_change = ((2, 7), 3, DateTime::UNIX_EPOCH + chrono::TimeDelta::microseconds(1));
        for (now, unchanged, case) in [
            (at(10, 7, 3), true, "nothing happened"),
            (at(99, 7, 3), true, "other collections were written to"),
            (at(99, 12, 9), false, "a change was written"),
            (at(99, 10, 2), false, "a transaction that was open has been committed"),
            (at(9, 8, 4), false, "the server crashed and reused the number of a lost transaction"),
            (at(99, 0, 2), false, "an older database was restored"),
            (LedgerPosition { newest: later_change, ..at(99, 7, 3) }, false, "another history has the same numbers"),
            (LedgerPosition { epoch: Uuid::from_u128(3), ..at(99, 7, 3) }, false, "another epoch has begun"),
        ] {
            assert_eq!(now.is_unchanged_since(earlier), unchanged, "{case}");
        }
        let unsettled = at(6, 7, 3);
        assert!(
            !at(99, 7, 3).is_unchanged_since(unsettled),
            "an older transaction was open and may have been committed"
        );
        let of_earlier_epoch = LedgerPosition { newest: ((1, 7), 3, DateTime::UNIX_EPOCH), ..at(6, 7, 3) };
        assert!(of_earlier_epoch.is_unchanged_since(of_earlier_epoch), "every change of an earlier epoch is visible");
    }
}
