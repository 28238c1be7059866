//! The change ledger in the database.
//!
//! The ledger is ordered by transaction id, then by the order of the writes within a transaction. A change is visible once
//! no older transaction can still be committed: otherwise such a transaction would put its changes before those that
//! readers have already read, and the readers would miss them.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::{
    collection::LedgerCollection,
    model::{Change, Changes, Position},
    query::{ChangesQuery, StartPoint},
    visibility::ChangeVisibility,
};
use crate::{
    db::{Conn, sql_functions::ledger_horizon},
    http::input::cursor::bad_cursor,
    problem::Result,
    schema::{changes, changes::dsl},
};

/// Returns the current position: every change before it is visible, and every change after it is not.
pub(super) async fn current_position(mut conn: &Conn) -> Result<Position> {
    Ok((diesel::select(ledger_horizon()).first(&mut conn).await?, 0))
}

/// Returns the visible changes after the start point.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a position that this ledger has not reached.
pub(super) async fn read(
    conn: &Conn,
    visibility: &ChangeVisibility,
    query: &ChangesQuery,
    start: StartPoint,
) -> Result<Changes> {
    let current = current_position(conn).await?;
    let StartPoint::After(after) = start else {
        return Ok(Changes { items: Vec::new(), next: query.cursor(current) });
    };
    if after > current {
        return Err(bad_cursor(
            "this cursor belongs to another database, or to a state of this one that was lost when an older state was \
             restored; create your copy again",
        ));
    }
    let collections = visibility.collections.iter();
    let lists = collections.map(|collection| changes_in(conn, *collection, after, current, query.limit()));
    let mut items: Vec<Change> = try_join_all(lists).await?.into_iter().flatten().collect();
    items.sort_unstable_by_key(Change::position);
    let limit = usize::try_from(query.limit()).unwrap_or(usize::MAX);
    items.truncate(limit);
    // A full page continues after its last change. Any other page has all changes up to the current position, so the next
    // request continues there and need not pass over the changes of other collections again.
    let next = items.last().filter(|_| items.len() == limit).map_or(current, Change::position);
    let items = items.into_iter().map(|change| visibility.view(change)).collect();
    Ok(Changes { items, next: query.cursor(next) })
}

/// Returns the first changes of one collection after a position. They come from an index of that collection, so that a rare
/// collection costs no more than a busy one.
async fn changes_in(
    mut conn: &Conn,
    collection: LedgerCollection,
    (xid, seq): Position,
    current: Position,
    limit: i64,
) -> Result<Vec<Change>> {
    let query = Change::query()
        .filter(dsl::resource.eq(collection))
        // Compared as a row, so that the index finds the start within a transaction, which can have a million changes.
        .filter(sql::<Bool>("(xid, seq) > (").bind::<BigInt, _>(xid).sql(", ").bind::<BigInt, _>(seq).sql(")"))
        .filter(dsl::xid.lt(current.0));
    Ok(query.order((dsl::xid, dsl::seq)).limit(limit).load(&mut conn).await?)
}

/// Returns the position of the newest visible change; none while the ledger is empty.
pub(super) async fn newest(conn: &Conn) -> Result<Option<Position>> {
    let newest_in = async |mut conn: &Conn, collection: LedgerCollection| {
        let visible = changes::table.filter(dsl::resource.eq(collection)).filter(dsl::xid.lt(ledger_horizon()));
        let query = visible.select((dsl::xid, dsl::seq)).order((dsl::xid.desc(), dsl::seq.desc()));
        query.first::<Position>(&mut conn).await.optional()
    };
    let positions = try_join_all(LedgerCollection::all().map(|collection| newest_in(conn, collection))).await?;
    Ok(positions.into_iter().flatten().max())
}
