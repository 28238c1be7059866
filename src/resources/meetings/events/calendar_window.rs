//! The events that a calendar shows: the next ones, and the last ones that have started.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::try_join_all;

use super::{
    list::{LeadingLink, by_time},
    model::{Event, EventRow},
    status::EventStatus,
    visibility::{EventVisibility, VisibleEvents, view},
};
use crate::{
    auth::reach::Reach,
    clock,
    db::{
        Conn,
        keyset::{TimeKey, TimeOrder, TimeRange, any_of},
        row_limit::{Rows, Weighed},
    },
    domain::{MunicipalityCode, time},
    problem::Result,
    schema::events::dsl::{host_municipality_code, status},
};

/// The maximum number of past events in a calendar, and of future events. It limits the cost of a calendar, however many
/// events there are.
const MAX_EACH_WAY: usize = 500;

/// The most bytes of events in a calendar, as JSON. Calendar programs refuse calendars that are much larger.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The number of events that are loaded first. Their length tells how many more fit.
const FIRST_STEP: usize = 20;

/// The events that a calendar covers.
#[derive(Clone, Debug)]
pub enum Coverage {
    /// All events.
    All,
    /// The events that these municipalities host.
    Hosts(Vec<MunicipalityCode>),
    /// The events that these municipalities host, and those that are tailored to one of them.
    Municipalities(Vec<MunicipalityCode>),
}

/// Events that one statement finds in the order of time.
#[derive(Clone, Copy)]
enum Part<'a> {
    All,
    HostedBy(&'a [MunicipalityCode]),
    TailoredTo(&'a MunicipalityCode),
}

impl Coverage {
    fn parts(&self) -> Vec<Part<'_>> {
        match self {
            Self::All => vec![Part::All],
            Self::Hosts(codes) if codes.is_empty() => Vec::new(),
            Self::Hosts(codes) => vec![Part::HostedBy(codes)],
            Self::Municipalities(codes) => codes.iter().map(Part::TailoredTo).chain([Part::HostedBy(codes)]).collect(),
        }
    }
}

/// The events of a calendar.
pub struct CalendarWindow {
    /// The events, by time.
    pub events: Vec<Event>,
    /// When the next event starts. From then on the calendar has other events.
    pub next_start: Option<DateTime<Utc>>,
    /// True when events are missing because all together have too many bytes.
    pub is_cut: bool,
}

/// Returns the next 500 events and the last 500 that have started. If they have too many bytes, the ones nearest to the
/// present are returned.
pub async fn calendar_window(conn: &Conn, reach: &Reach, coverage: &Coverage) -> Result<CalendarWindow> {
    let now = clock::now();
    let lists = try_join_all(coverage.parts().into_iter().flat_map(|part| {
        let past = TimeRange { from: time::EARLIEST, to: now - TimeDelta::microseconds(1) };
        let future = TimeRange { from: now, to: time::LATEST };
        [(past, TimeOrder::LatestFirst), (future, TimeOrder::EarliestFirst)]
            .map(|(range, order)| load(conn, reach, part, range, order))
    }));
    let lists = lists.await?;
    let mut is_cut = lists.iter().any(|list| list.is_cut);
    let mut rows: Vec<_> = lists.into_iter().flat_map(|list| list.rows).collect();
    // Sorted by time and without duplicates: an event that a municipality hosts may also be tailored to it.
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|row| row.id);
    let past = rows.partition_point(|row| row.fields.starts_at < now);
    let next_start = rows.get(past).map(|row| row.fields.starts_at);
    let window = past.saturating_sub(MAX_EACH_WAY)..(past + MAX_EACH_WAY).min(rows.len());
    let (nearest, is_shortened) = nearest(rows.drain(window).collect(), now);
    is_cut |= is_shortened;
    Ok(CalendarWindow { events: nearest.into_iter().map(|row| view(reach, row)).collect(), next_start, is_cut })
}

/// Returns the rows that are nearest to this time, as many as a calendar may have, and whether others are missing. The rows
/// and the result are ordered by time.
fn nearest(mut rows: Vec<EventRow>, now: DateTime<Utc>) -> (Vec<EventRow>, bool) {
    if rows.iter().map(Weighed::weight).sum::<usize>() <= MOST_BYTES {
        return (rows, false);
    }
    rows.sort_by_key(|row| (row.fields.starts_at - now).abs());
    let mut left = MOST_BYTES;
    let taken = rows.iter().take_while(|row| {
        let fits = row.weight() <= left;
        left = left.saturating_sub(row.weight());
        fits
    });
    rows.truncate(taken.count().max(1));
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    (rows, true)
}

/// Loads events in steps, so that PostgreSQL does not read hundreds of long events for a calendar that holds few of them.
async fn load(
    conn: &Conn,
    reach: &Reach,
    part: Part<'_>,
    range: TimeRange,
    order: TimeOrder,
) -> Result<Rows<EventRow>> {
    let mut all = Rows::from(Vec::new());
    let (mut bytes, mut limit) = (0, FIRST_STEP);
    loop {
        let last = all.rows.last().map(|row: &EventRow| TimeKey(row.fields.starts_at, row.id));
        let range = range.after(last.as_ref(), order);
        let (query, leading) = covered(reach, part);
        let query = query.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        let step = by_time(conn, query, leading, range, order, last.as_ref(), MOST_BYTES - bytes).await?;
        let is_last = step.rows.len() < limit;
        all.rows.extend(step.rows);
        bytes = all.rows.iter().map(Weighed::weight).sum();
        all.is_cut = step.is_cut || bytes >= MOST_BYTES;
        if is_last || all.is_cut || all.rows.len() >= MAX_EACH_WAY {
            return Ok(all);
        }
        // As many as fit if the others are of the same length.
        let fitting = (MOST_BYTES - bytes) * all.rows.len() / bytes.max(1);
        limit = fitting.max(FIRST_STEP).min(MAX_EACH_WAY - all.rows.len());
    }
}

/// Returns the query of the events of a part, and the link whose table it walks.
fn covered(reach: &Reach, part: Part<'_>) -> (VisibleEvents, Option<LeadingLink>) {
    let query = EventVisibility::of(reach).query().filter(status.ne(EventStatus::Draft));
    match part {
        Part::All => (query, None),
        Part::HostedBy(codes) => (any_of!(query, host_municipality_code, codes), None),
        Part::TailoredTo(code) => (query, Some(LeadingLink::Audience(code.clone()))),
    }
}
