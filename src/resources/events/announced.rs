//! The events that a calendar has: what is announced, of late and soon.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::{
    list::{Span, linked},
    model::{Event, EventRow},
    status::EventStatus,
    store::{Visible, seen, visible},
};
use crate::{
    auth::reach::Reach,
    db::Conn,
    http::time,
    problem::Result,
    schema::{
        event_audience,
        events::dsl::{self, id, starts_at},
    },
};

/// So many of those that start next, and as many of those that started last: a calendar costs the same however many
/// events there are.
const EACH_WAY: usize = 500;

/// An event that is no draft, and how often what a calendar shows of it has changed.
#[derive(Debug)]
pub struct Announced {
    /// The event.
    pub event: Event,
    /// How often it was revised (RFC 5545, section 3.8.7.4).
    pub sequence: i32,
}

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
pub async fn announced(conn: &Conn, reach: &Reach, municipality: Option<&str>) -> Result<Vec<Announced>> {
    let whose = municipality.map_or(vec![Whose::Everybody], |code| vec![Whose::Host(code), Whose::Audience(code)]);
    let now = Utc::now();
    let past = whose.iter().map(|whose| started(conn, reach, *whose, now));
    let future = whose.iter().map(|whose| starting(conn, reach, *whose, now));
    let (past, future) = futures_util::future::try_join(try_join_all(past), try_join_all(future)).await?;
    let (mut past, mut future) = (merged(past), merged(future));
    past.drain(..past.len().saturating_sub(EACH_WAY));
    future.truncate(EACH_WAY);
    let seen = seen(reach);
    let all = past.into_iter().chain(future);
    Ok(all.map(|(row, sequence)| Announced { event: seen(row), sequence }).collect())
}

type Row = (EventRow, i32);

/// By time, each once: who holds an event may also be its audience.
fn merged(lists: Vec<Vec<Row>>) -> Vec<Row> {
    let mut rows: Vec<_> = lists.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|(row, _)| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|(row, _)| row.id);
    rows
}

async fn starting(mut conn: &Conn, reach: &Reach, whose: Whose<'_>, now: DateTime<Utc>) -> Result<Vec<Row>> {
    let query = within(reach, whose, &Span { from: now, to: time::LATEST }).order((starts_at, id));
    Ok(query.select((EventRow::as_select(), dsl::sequence)).load(&mut conn).await?)
}

async fn started(mut conn: &Conn, reach: &Reach, whose: Whose<'_>, now: DateTime<Utc>) -> Result<Vec<Row>> {
    let before = now - TimeDelta::microseconds(1);
    let query = within(reach, whose, &Span { from: time::EARLIEST, to: before }).order((starts_at.desc(), id.desc()));
    Ok(query.select((EventRow::as_select(), dsl::sequence)).load(&mut conn).await?)
}

fn within(reach: &Reach, whose: Whose<'_>, span: &Span) -> Visible {
    let limit = i64::try_from(EACH_WAY).unwrap_or(i64::MAX);
    let query = visible(reach).filter(dsl::status.ne(EventStatus::Draft)).limit(limit);
    let query = query.filter(starts_at.between(span.from, span.to));
    match whose {
        Whose::Everybody => query,
        Whose::Host(code) => query.filter(dsl::host_municipality_code.eq(code.to_owned())),
        Whose::Audience(code) => linked!(query, span, vec![code.to_owned()], event_audience, municipality_code),
    }
}
