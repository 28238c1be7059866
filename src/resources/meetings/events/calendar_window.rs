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
        keyset::{TimeOrder, TimeRange},
    },
    domain::{MunicipalityCode, time},
    problem::Result,
    schema::events::dsl::{host_municipality_code, status},
};

/// The maximum number of past events in a calendar, and of future events. It limits the cost of a calendar, however many
/// events there are.
const MAX_EACH_WAY: usize = 500;

/// The events that a calendar covers.
#[derive(Clone, Copy)]
enum Coverage<'a> {
    Region,
    HostedBy(&'a MunicipalityCode),
    TailoredTo(&'a MunicipalityCode),
}

/// The events of a calendar.
pub struct CalendarWindow {
    /// The events, by time.
    pub events: Vec<Event>,
    /// When the next event starts. From then on the calendar has other events.
    pub next_start: Option<DateTime<Utc>>,
}

/// Returns the next 500 events and the last 500 that have started: of the whole region, or those that a municipality hosts
/// and those that are tailored to it.
pub async fn calendar_window(
    conn: &Conn,
    reach: &Reach,
    municipality: Option<&MunicipalityCode>,
) -> Result<CalendarWindow> {
    let now = clock::now();
    let coverages =
        municipality.map_or(vec![Coverage::Region], |code| vec![Coverage::HostedBy(code), Coverage::TailoredTo(code)]);
    let lists = try_join_all(coverages.into_iter().flat_map(|coverage| {
        let past = TimeRange { from: time::EARLIEST, to: now - TimeDelta::microseconds(1) };
        let future = TimeRange { from: now, to: time::LATEST };
        [(past, TimeOrder::LatestFirst), (future, TimeOrder::EarliestFirst)]
            .map(|(range, order)| load(conn, reach, coverage, range, order))
    }));
    let mut rows: Vec<_> = lists.await?.into_iter().flatten().collect();
    // Sorted by time and without duplicates: an event that this municipality hosts may also be tailored to it.
    rows.sort_unstable_by_key(|row| (row.fields.starts_at, row.id));
    rows.dedup_by_key(|row| row.id);
    let past = rows.partition_point(|row| row.fields.starts_at < now);
    let next_start = rows.get(past).map(|row| row.fields.starts_at);
    let window = past.saturating_sub(MAX_EACH_WAY)..(past + MAX_EACH_WAY).min(rows.len());
    Ok(CalendarWindow { events: rows.drain(window).map(|row| view(reach, row)).collect(), next_start })
}

async fn load(
    conn: &Conn,
    reach: &Reach,
    coverage: Coverage<'_>,
    range: TimeRange,
    order: TimeOrder,
) -> Result<Vec<EventRow>> {
    let query = EventVisibility::of(reach).query().filter(status.ne(EventStatus::Draft));
    let query = query.limit(i64::try_from(MAX_EACH_WAY).unwrap_or(i64::MAX));
    let (query, leading) = match coverage {
        Coverage::Region => (query, None),
        Coverage::HostedBy(code) => (query.filter(host_municipality_code.eq(code.clone())), None),
        Coverage::TailoredTo(code) => (query, Some(LeadingLink::Audience(code.clone()))),
    };
    by_time(conn, query, leading, range, order, None).await
}
