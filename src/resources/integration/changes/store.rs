//! The ledger in the database: what of it counts, and in which order.
//!
//! A transaction's changes count once no older transaction can still commit, so that nothing ever slips in before what
//! has been told. The order is that of the transactions' numbers, then of the rows within one.

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
};
use crate::{
    auth::scopes::Scope,
    db::{Conn, sql_functions::ledger_horizon},
    http::{Caller, input::cursor::bad_cursor},
    problem::Result,
    schema::{changes, changes::dsl},
};

/// Whose changes a caller sees, and how much of them.
#[derive(Debug)]
pub(super) struct Sight {
    collections: Vec<LedgerCollection>,
    with_actor: bool,
}

impl Sight {
    /// Of a caller: the collections that it asks for, or all whose reading scope it holds.
    ///
    /// # Errors
    /// [`crate::problem::Error::MissingScope`] when it asks for one that it may not read.
    pub(super) fn of<S: Scope>(caller: &Caller<S>, query: &ChangesQuery) -> Result<Self> {
        for asked in &query.resource {
            caller.require(asked.scope())?;
        }
        let all = LedgerCollection::all().filter(|of| caller.holds(of.scope()));
        let collections = all.filter(|of| query.resource.is_empty() || query.resource.contains(of)).collect();
        Ok(Self { collections, with_actor: caller.reach.is_coordinator() })
    }
}

/// The present place: everything before it counts.
///
/// # Errors
/// When the database is away.
pub(super) async fn present(mut conn: &Conn) -> Result<Position> {
    Ok((diesel::select(ledger_horizon()).first(&mut conn).await?, 0))
}

/// The changes from a place on, those that count by now.
///
/// # Errors
/// [`crate::problem::Error::Malformed`] for a place that this ledger has not come to.
pub(super) async fn read(conn: &Conn, sight: &Sight, query: &ChangesQuery, from: StartPoint) -> Result<Changes> {
    let present = present(conn).await?;
    let StartPoint::After(after) = from else { return Ok(Changes { items: Vec::new(), next: query.cursor(present) }) };
    if after > present {
        return Err(bad_cursor(
            "this cursor is of another database, or of this one before it was restored: make your copy anew",
        ));
    }
    let limit = usize::try_from(query.limit()).unwrap_or(usize::MAX);
    let of_each = sight.collections.iter().map(|of| of_one(conn, *of, after, present, query.limit()));
    let mut items: Vec<Change> = try_join_all(of_each).await?.into_iter().flatten().collect();
    items.sort_unstable_by_key(Change::position);
    items.truncate(limit);
    // What is not of these collections has been passed by too: nobody walks over it again.
    let next = items.last().filter(|_| items.len() == limit).map_or(present, Change::position);
    if !sight.with_actor {
        items = items.into_iter().map(Change::anonymous).collect();
    }
    Ok(Changes { items, next: query.cursor(next) })
}

/// Of one collection, straight from its index: however rare it is, nothing else is walked over.
async fn of_one(
    mut conn: &Conn,
    of: LedgerCollection,
    (xid, seq): Position,
    present: Position,
    limit: i64,
) -> Result<Vec<Change>> {
    let query = Change::query()
        .filter(dsl::resource.eq(of))
        // As a row: one transaction can have written a million.
        .filter(sql::<Bool>("(xid, seq) > (").bind::<BigInt, _>(xid).sql(", ").bind::<BigInt, _>(seq).sql(")"))
        .filter(dsl::xid.lt(present.0));
    Ok(query.order((dsl::xid, dsl::seq)).limit(limit).load(&mut conn).await?)
}

/// The place of the newest change that counts.
///
/// # Errors
/// When the database is away.
pub(super) async fn newest(conn: &Conn) -> Result<Option<Position>> {
    let newest_of = async |mut conn: &Conn, of: LedgerCollection| {
        let counting = changes::table.filter(dsl::resource.eq(of)).filter(dsl::xid.lt(ledger_horizon()));
        let query = counting.select((dsl::xid, dsl::seq)).order((dsl::xid.desc(), dsl::seq.desc()));
        query.first::<Position>(&mut conn).await.optional()
    };
    let of_each = try_join_all(LedgerCollection::all().map(|of| newest_of(conn, of))).await?;
    Ok(of_each.into_iter().flatten().max())
}
