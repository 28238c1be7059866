//! The events that a calendar has: what is announced, of late and soon.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::{try_join, try_join_all};

use super::{
    filter::EventSort,
    links::{self, Leading, Span},
    model::{Event, EventRow},
    status::EventStatus,
    store::{seen, visible},
};
use crate::{
    auth::reach::Reach,
    db::Conn,
    http::time,
    problem::Result,
    schema::events::dsl::{host_municipality_code, status},
};

/// So many of those that start next, and as many of those that started last: a calendar costs the same however many
/// events there are.
const EACH_WAY: usize = 500;

/// Whose events.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Everybody,
    Host(&'a str),
    Audience(&'a str),
}

/// The 500 that start next and the 500 that started last, by time: all of the region's, or those that this municipality
/// holds and those that are tailored to it.
///
/// # Errors
/// When the database is away.
pub async fn announced(conn: &Conn, reach: &Reach, municipality: Option<&str>) -> Result<Vec<Event>> {
    let whose = municipality.map_or(vec![Whose::Everybody], |code| vec![Whose::Host(code), Whose::Audience(code)]);
    let now = Utc::now();
    let past = whose.iter().map(|whose| started(conn, reach, *whose, now));
    let future = whose.iter().map(|whose| starting(conn, reach, *whose, now));
    let (past, future) = try_join(try_join_all(past), try_join_all(future)).await?;
    let (mut past, mut future) = (merged(past), merged(future));
    past.drain(..past.len().saturating_sub(EACH_WAY));
    future.truncate(EACH_WAY);
    Ok(past.into_iter().chain(future).map(seen(reach)).collect())
}

/// By time, each once: who holds an event may also be its audience.
fn merged(lists: Vec<Vec<EventRow>>) -> Vec<EventRow> {
    let mut rows: Vec<_> = lists.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|row| row.id);
    rows
}

async fn starting(conn: &Conn, reach: &Reach, whose: Whose<'_>, now: DateTime<Utc>) -> Result<Vec<EventRow>> {
    rows(conn, reach, whose, &Span { from: now, to: time::LATEST }, EventSort::StartsAt).await
}

async fn started(conn: &Conn, reach: &Reach, whose: Whose<'_>, now: DateTime<Utc>) -> Result<Vec<EventRow>> {
    let before = now - TimeDelta::microseconds(1);
    rows(conn, reach, whose, &Span { from: time::EARLIEST, to: before }, EventSort::StartsAtDescending).await
}

async fn rows(conn: &Conn, reach: &Reach, whose: Whose<'_>, span: &Span, sort: EventSort) -> Result<Vec<EventRow>> {
    let query = visible(reach).filter(status.ne(EventStatus::Draft)).limit(i64::try_from(EACH_WAY).unwrap_or(i64::MAX));
    let (query, leading) = match whose {
        Whose::Everybody => (query, None),
        Whose::Host(code) => (query.filter(host_municipality_code.eq(code.to_owned())), None),
        Whose::Audience(code) => (query, Some(Leading::Audience(code.to_owned()))),
    };
    links::rows(conn, query, leading.as_ref(), span, (sort, None)).await
}
