//! The change ledger in the database.
//!
//! The ledger is ordered by epoch, then by transaction id, then by the order of the writes within a transaction. A change is
//! visible once no older transaction of its epoch can still be committed: otherwise such a transaction would put its changes
//! before those that readers have already read, and the readers would miss them.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Integer},
};
use diesel_async::RunQueryDsl;
use futures_util::future::{try_join, try_join_all};
use uuid::Uuid;

use super::{
    collection::LedgerCollection,
    mark::{Mark, Passed},
    model::{Change, Changes, Position},
    query::{ChangesQuery, StartPoint},
    visibility::ChangeVisibility,
};
use crate::{
    db::{Conn, sql_functions::ledger_horizon},
    problem::Result,
    schema::{changes::dsl, ledger_epochs},
};

/// The end of what readers see: every change before it is visible, and every change after it is not.
#[derive(Clone, Copy, Debug)]
struct Horizon {
    /// The id of the current epoch.
    epoch_id: Uuid,
    /// The ordinal of the current epoch. All changes of earlier epochs are visible.
    epoch: i32,
    /// The oldest transaction that can still be committed.
    xid: i64,
}

async fn horizon(mut conn: &Conn) -> Result<Horizon> {
    let current = ledger_epochs::table.order(ledger_epochs::ordinal.desc());
    let current = current.select((ledger_epochs::id, ledger_epochs::ordinal, ledger_horizon()));
    let (epoch_id, epoch, xid) = current.first(&mut conn).await?;
    Ok(Horizon { epoch_id, epoch, xid })
}

/// Returns the visible changes after the start point.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a cursor that is not of the history of this database.
pub(super) async fn read(
    conn: &Conn,
    visibility: &ChangeVisibility,
    query: &ChangesQuery,
    start: StartPoint,
) -> Result<Changes> {
    let position = async {
        match start {
            StartPoint::Beginning | StartPoint::Now => Ok(Position::default()),
            StartPoint::After(mark) => mark.position(conn).await,
        }
    };
    // The horizon comes first: a change before it is visible in every later statement.
    let (horizon, after) = try_join(horizon(conn), position).await?;
    if let StartPoint::Now = start {
        let newest = newest_before(conn, horizon, visibility.collections.iter().copied()).await?;
        return Ok(Changes { items: Vec::new(), next: query.cursor(newest) });
    }
    let collections = visibility.collections.iter();
    let lists = collections.map(|collection| changes_in(conn, *collection, after, horizon, query.limit()));
    let mut items: Vec<Change> = try_join_all(lists).await?.into_iter().flatten().collect();
    items.sort_unstable_by_key(Change::position);
    items.truncate(usize::try_from(query.limit()).unwrap_or(usize::MAX));
    let next = match (items.last(), start) {
        (None, StartPoint::After(mark)) => mark,
        (last, _) => Mark { epoch: horizon.epoch_id, passed: last.map(Passed::of) },
    };
    let items = items.into_iter().map(|change| visibility.view(change)).collect();
    Ok(Changes { items, next: query.cursor(next) })
}

/// Returns the first changes of one collection after a position. They come from an index of that collection, so that a rare
/// collection costs no more than a busy one.
async fn changes_in(
    mut conn: &Conn,
    collection: LedgerCollection,
    (epoch, xid, seq): Position,
    horizon: Horizon,
    limit: i64,
) -> Result<Vec<Change>> {
    // Compared as rows, so that the index finds both ends: a transaction can have a million changes.
    let after = sql::<Bool>("(epoch, xid, seq) > (")
        .bind::<Integer, _>(epoch)
        .sql(", ")
        .bind::<BigInt, _>(xid)
        .sql(", ")
        .bind::<BigInt, _>(seq)
        .sql(")");
    let before = sql::<Bool>("(epoch, xid) < (").bind::<Integer, _>(horizon.epoch).sql(", ");
    let before = before.bind::<BigInt, _>(horizon.xid).sql(")");
    let query = Change::query().filter(dsl::resource.eq(collection)).filter(after).filter(before);
    Ok(query.order((dsl::epoch, dsl::xid, dsl::seq)).limit(limit).load(&mut conn).await?)
}

/// Returns the place after every change that is visible now in the collections that the caller sees.
pub(super) async fn newest_mark(conn: &Conn, visibility: &ChangeVisibility) -> Result<Mark> {
    newest_before(conn, horizon(conn).await?, visibility.collections.iter().copied()).await
}

/// Returns the place after every change that is visible now.
pub(super) async fn newest(conn: &Conn) -> Result<Mark> {
    newest_before(conn, horizon(conn).await?, LedgerCollection::all()).await
}

async fn newest_before(
    conn: &Conn,
    horizon: Horizon,
    collections: impl Iterator<Item = LedgerCollection>,
) -> Result<Mark> {
    let newest_in = async |mut conn: &Conn, collection: LedgerCollection| {
        let before = sql::<Bool>("(epoch, xid) < (").bind::<Integer, _>(horizon.epoch).sql(", ");
        let before = before.bind::<BigInt, _>(horizon.xid).sql(")");
        let query = Change::query().filter(dsl::resource.eq(collection)).filter(before).order((
            dsl::epoch.desc(),
            dsl::xid.desc(),
            dsl::seq.desc(),
        ));
        query.first::<Change>(&mut conn).await.optional()
    };
    let newest: Vec<Option<Change>> = try_join_all(collections.map(|collection| newest_in(conn, collection))).await?;
    let newest = newest.iter().flatten().max_by_key(|change| change.position());
    Ok(Mark { epoch: horizon.epoch_id, passed: newest.map(Passed::of) })
}
