//! The place in the ledger that a cursor names.
//!
//! A cursor rests on a row: the newest change that its holder has passed. Transaction numbers alone could come again after
//! an older state of the database was restored, or after a failover that lost the last writes. The row is then missing, or
//! is another one, and the holder learns that it has to create its copy again.

use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{Change, Position};
use crate::{
    db::Conn,
    http::input::cursor::bad_cursor,
    problem::Result,
    schema::{changes, ledger_epochs},
};

/// The position before the first change.
const BEGINNING: Position = (0, 0, 0);

/// A place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The epoch in which the cursor was created.
    pub(super) epoch: Uuid,
    /// The newest change that the holder has passed; none at the beginning.
    pub(super) passed: Option<Passed>,
}

/// What identifies a change in every history of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Passed {
    xid: i64,
    seq: i64,
    version: i64,
    /// The time of the change, in microseconds.
    changed_at: i64,
}

impl Passed {
    /// Returns the identity of a change.
    pub(super) fn of(change: &Change) -> Self {
        let (_, xid, seq) = change.position();
        Self { xid, seq, version: change.version, changed_at: change.changed_at.timestamp_micros() }
    }
}

impl Mark {
    /// Returns the position of the mark in the ledger of this database.
    ///
    /// # Errors
    /// [`crate::problem::Error::Malformed`] if the history that the holder knows is not the one of this database: the epoch
    /// is unknown, an operator has said that writes were lost since, or the change is missing or is another one.
    pub(super) async fn position(self, conn: &Conn) -> Result<Position> {
        let lost = || {
            bad_cursor(
                "this cursor belongs to another database, or to a state of this one that was lost when an older state was \
                 restored; create your copy again",
            )
        };
        if !self.is_of_a_known_epoch(conn).await? {
            return Err(lost());
        }
        let Some(passed) = self.passed else { return Ok(BEGINNING) };
        let change = find(conn, passed.seq).await?.filter(|change| Passed::of(change) == passed);
        change.map(|change| change.position()).ok_or_else(lost)
    }

    /// Returns whether this database has the epoch, and no later one that does not continue it.
    async fn is_of_a_known_epoch(self, mut conn: &Conn) -> Result<bool> {
        let later = diesel::alias!(ledger_epochs as later);
        let is_later = later.field(ledger_epochs::ordinal).gt(ledger_epochs::ordinal);
        let cut_off = later.filter(is_later).filter(later.field(ledger_epochs::continues).eq(false));
        let known = ledger_epochs::table.filter(ledger_epochs::id.eq(self.epoch));
        Ok(known.select(exists(cut_off)).first::<bool>(&mut conn).await.optional()? == Some(false))
    }
}

async fn find(mut conn: &Conn, seq: i64) -> Result<Option<Change>> {
    Ok(Change::query().filter(changes::seq.eq(seq)).first(&mut conn).await.optional()?)
}
