//! The events that a calendar shows: the next ones, and the last ones that have started.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::try_join_all;

use super::{
    list::{LeadingLink, by_time},
    model::{Event, EventRow},
    status::EventStatus,
    visibility::{EventVisibility, view},
};
use crate::{
    auth::reach::Reach,
    clock,
    db::{
        Conn,
        keyset::{TimeOrder, TimeRange, any_of},
    },
    domain::{MunicipalityCode, time},
    problem::Result,
    schema::events::dsl::{host_municipality_code, status},
};

/// The maximum number of past events in a calendar, and of future events. It limits the cost of a calendar, however many
/// events there are.
const MAX_EACH_WAY: usize = 500;

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
}

/// Returns the next 500 events and the last 500 that have started.
pub async fn calendar_window(conn: &Conn, reach: &Reach, coverage: &Coverage) -> Result<CalendarWindow> {
    let now = clock::now();
    let lists = try_join_all(coverage.parts().into_iter().flat_map(|part| {
        let past = TimeRange { from: time::EARLIEST, to: now - TimeDelta::microseconds(1) };
        let future = TimeRange { from: now, to: time::LATEST };
        [(past, TimeOrder::LatestFirst), (future, TimeOrder::EarliestFirst)]
            .map(|(range, order)| load(conn, reach, part, range, order))
    }));
    let mut rows: Vec<_> = lists.await?.into_iter().flatten().collect();
    // Sorted by time and without duplicates: an event that a municipality hosts may also be tailored to it.
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|row| row.id);
    let past = rows.partition_point(|row| row.fields.starts_at < now);
    let next_start = rows.get(past).map(|row| row.fields.starts_at);
    let window = past.saturating_sub(MAX_EACH_WAY)..(past + MAX_EACH_WAY).min(rows.len());
    Ok(CalendarWindow { events: rows.drain(window).map(|row| view(reach, row)).collect(), next_start })
}

async fn load(conn: &Conn, reach: &Reach, part: Part<'_>, range: TimeRange, order: TimeOrder) -> Result<Vec<EventRow>> {
    let query = EventVisibility::of(reach).query().filter(status.ne(EventStatus::Draft));
    let query = query.limit(i64::try_from(MAX_EACH_WAY).unwrap_or(i64::MAX));
    let (query, leading) = match part {
        Part::All => (query, None),
        Part::HostedBy(codes) => (any_of!(query, host_municipality_code, codes), None),
        Part::TailoredTo(code) => (query, Some(LeadingLink::Audience(code.clone()))),
    };
    by_time(conn, query, leading, range, order, None).await
}
