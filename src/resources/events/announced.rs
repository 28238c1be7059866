//! The events that a calendar has: what is announced, of late and soon.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::try_join_all;

use super::{
    filter::EventSort,
    links::{Leading, Span, Walk},
    model::Event,
    status::EventStatus,
    store::{seen, visible},
};
use crate::{
    auth::reach::Reach,
    db::Conn,
    http::{cache::Versions, time},
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

/// What is announced.
pub struct Announced {
    /// The events, by time.
    pub events: Vec<Event>,
    /// What that shows.
    pub versions: Versions,
    /// When the next of them begins.
    pub next: Option<DateTime<Utc>>,
}

/// The 500 that start next and the 500 that started last: all of the region's, or those that this municipality holds and
/// those that are tailored to it.
///
/// # Errors
/// When the database is away.
pub async fn announced(conn: &Conn, reach: &Reach, municipality: Option<&str>) -> Result<Announced> {
    let now = Utc::now();
    let lists = try_join_all(walks(reach, municipality, now).map(|walk| walk.rows(conn))).await?;
    let mut rows: Vec<_> = lists.into_iter().flatten().collect();
    let versions = rows.iter().map(|row| (row.id, row.version)).collect();
    // By time, each once: who holds an event may also be its audience.
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|row| row.id);
    let past = rows.partition_point(|row| row.fields.starts_at < now);
    let near = past.saturating_sub(EACH_WAY)..(past + EACH_WAY).min(rows.len());
    let next = rows.get(past).map(|row| row.fields.starts_at);
    Ok(Announced { events: rows.drain(near).map(seen(reach)).collect(), versions, next })
}

/// What a calendar of these would show.
///
/// # Errors
/// When the database is away.
pub async fn versions(conn: &Conn, reach: &Reach, municipality: Option<&str>) -> Result<Versions> {
    Ok(try_join_all(walks(reach, municipality, Utc::now()).map(|walk| walk.versions(conn))).await?.concat())
}

/// The ways to the past and to the future of each of those whose events they are.
fn walks<'a>(reach: &'a Reach, municipality: Option<&'a str>, now: DateTime<Utc>) -> impl Iterator<Item = Walk> + 'a {
    let whose = municipality.map_or(vec![Whose::Everybody], |code| vec![Whose::Host(code), Whose::Audience(code)]);
    whose.into_iter().flat_map(move |whose| {
        let past = Span { from: time::EARLIEST, to: now - TimeDelta::microseconds(1) };
        let future = Span { from: now, to: time::LATEST };
        let ways = [(past, EventSort::StartsAtDescending), (future, EventSort::StartsAt)];
        ways.map(|(span, sort)| walk(reach, whose, span, sort))
    })
}

fn walk(reach: &Reach, whose: Whose<'_>, span: Span, sort: EventSort) -> Walk {
    let query = visible(reach).filter(status.ne(EventStatus::Draft)).limit(i64::try_from(EACH_WAY).unwrap_or(i64::MAX));
    let (query, leading) = match whose {
        Whose::Everybody => (query, None),
        Whose::Host(code) => (query.filter(host_municipality_code.eq(code.to_owned())), None),
        Whose::Audience(code) => (query, Some(Leading::Audience(code.to_owned()))),
    };
    Walk { query, leading, span, sort, after: None }
}
