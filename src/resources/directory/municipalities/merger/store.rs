//! Merging municipalities in the database.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Helsinki;
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use super::{
    model::{Merger, MergerInput},
    steps,
};
use crate::{
    auth::reach::Reach,
    clock,
    db::Conn,
    domain::MunicipalityCode,
    problem::{Error, Result, Violation},
    resources::directory::municipalities::{model::Municipality, refused::Refused, store::find},
    schema::municipalities::{self, dsl},
};

/// Merges a municipality into another, or tells what the merger would do. A merger that was carried out before changes
/// nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::OutOfReach`]; [`Error::Invalid`] for a successor that is unknown, has ended or is the
/// municipality itself, and for a day in the future; [`Error::Conflict`] when the municipality has already merged into
/// another one, or on another day.
pub(in crate::resources::directory::municipalities) async fn merge(
    mut conn: &Conn,
    reach: &Reach,
    code: MunicipalityCode,
    new: MergerInput,
    dry_run: bool,
) -> Result<Merger> {
    find(conn, &code).await?;
    reach.require_coordinator("merge municipalities")?;
    conn.batch_execute(steps::LOCK).await?;
    let current = lock(conn, &code, &new.into).await?;
    if let (Some(into), Some(on)) = (&current.successor_code, current.ended_on) {
        if (into, on) != (&new.into, new.on) {
            return Err(merged_otherwise(&code, into, on));
        }
        let kept = steps::kept(conn, &code).await?;
        return Ok(Merger::of(code, new, dry_run, (Vec::new(), kept, Vec::new())));
    }
    Error::unless_empty(violations(conn, &code, &new, clock::now()).await?)?;
    conn.batch_execute("savepoint before_merger").await?;
    let end = (dsl::successor_code.eq(&new.into), dsl::ended_on.eq(new.on));
    diesel::update(municipalities::table.find(&code)).set(end).execute(&mut conn).await?;
    let (moved, collisions) = steps::run(conn, &code, &new).await?;
    let kept = steps::kept(conn, &code).await?;
    if dry_run {
        conn.batch_execute("rollback to savepoint before_merger").await?;
    }
    Ok(Merger::of(code, new, dry_run, (moved, kept, collisions)))
}

/// Locks the two municipalities against every other change, in the order of their codes. Returns the first one.
async fn lock(mut conn: &Conn, code: &MunicipalityCode, into: &MunicipalityCode) -> Result<Municipality> {
    let both = municipalities::table.select(dsl::code).filter(dsl::code.eq_any([code, into])).order(dsl::code);
    both.for_update().execute(&mut conn).await?;
    find(conn, code).await
}

/// Returns a violation for each rule that the merger breaks.
async fn violations(
    conn: &Conn,
    code: &MunicipalityCode,
    new: &MergerInput,
    now: DateTime<Utc>,
) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    if new.into == *code {
        violations.extend(Violation::of_rule("municipalities_successor_code_not_itself"));
    }
    let refused = Refused::among(conn, std::slice::from_ref(&new.into)).await?;
    violations.extend(refused.violation(Some(&new.into), "municipalities_successor_code_exists"));
    if new.on > now.with_timezone(&Helsinki).date_naive() {
        let detail = "must be today in Finland or earlier, because everything moves at once; merge on the day itself";
        violations.push(Violation::at("/on", "in_future", detail));
    }
    Ok(violations)
}

fn merged_otherwise(code: &MunicipalityCode, into: &MunicipalityCode, on: NaiveDate) -> Error {
    Error::Conflict {
        code: "municipality_merged".into(),
        detail: format!("the municipality {code} has already merged into {into}, on {on}; merge {into} instead").into(),
    }
}
