//! Times in a calendar: in the time zone of their event, which the calendar then defines (VTIMEZONE), or in UTC.

use std::{collections::BTreeMap, ops::Range};

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent as Component, ICalendarParameter as Parameter, ICalendarProperty as Property,
    },
};
use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::resources::meetings::events::model::Event;

/// The times that are written in their time zone, in seconds since 1970: from 1973 to 2099. Until 1972 some offsets had
/// seconds, which calcard rounds to minutes. A later end would make the definitions of the time zones long.
const ZONED_TIMES: Range<i64> = 94_694_400..4_102_444_800;
/// How far a definition reaches beyond the first and the last time for which it is used, in seconds: a year, so that it
/// includes the actual start of the offset that applies to the first time.
const MARGIN: i64 = 366 * 24 * 60 * 60;

/// The time zones that a calendar defines.
#[derive(Debug)]
pub(super) struct DefinedZones(Vec<Tz>);

impl DefinedZones {
    /// Adds the definitions of the events' time zones to the calendar, each for the years in which it is used.
    pub(super) fn define(calendar: &mut ICalendar, events: &[Event]) -> Self {
        let mut uses = BTreeMap::<&str, (Tz, i64, i64)>::new();
        for Event { fields, .. } in events {
            let Ok(zone) = fields.time_zone.parse::<Tz>() else { continue };
            for time in [fields.starts_at.timestamp(), fields.ends_at.timestamp()] {
                if ZONED_TIMES.contains(&time) {
                    let (_, first, last) = uses.entry(zone.name()).or_insert((zone, time, time));
                    (*first, *last) = ((*first).min(time), (*last).max(time));
                }
            }
        }
        let mut is_defined =
            |name: &str, first: i64, last: i64| calendar.add_timezone(name, first - MARGIN, last + MARGIN).is_some();
        let zones = uses.into_iter().filter(|(name, (_, first, last))| is_defined(name, *first, *last));
        Self(zones.map(|(_, (zone, ..))| zone).collect())
    }

    /// Adds a time to a component: in the time zone with this name, or in UTC where the calendar does not define the zone
    /// or the local time is ambiguous.
    pub(super) fn add_time(&self, component: &mut Component, property: Property, time: DateTime<Utc>, zone: &str) {
        let zone = zone.parse::<Tz>().ok().filter(|zone| self.0.contains(zone));
        match zone.and_then(|zone| Some((zone, local_time(time, zone)?))) {
            None => component.add_property(property, in_utc(time)),
            Some((zone, local)) => {
                component.add_property_with_params(property, [Parameter::tzid(zone.name().to_owned())], local);
            }
        }
    }
}

/// Returns a time in UTC.
pub(super) fn in_utc(time: DateTime<Utc>) -> PartialDateTime {
    PartialDateTime::from_utc_timestamp(time.timestamp())
}

/// Returns the local time in a zone; none outside [`ZONED_TIMES`], and in the hour that is repeated when daylight saving
/// time ends. RFC 5545 (section 3.3.5) takes the first of the two, but not every program does.
fn local_time(time: DateTime<Utc>, zone: Tz) -> Option<PartialDateTime> {
    if !ZONED_TIMES.contains(&time.timestamp()) {
        return None;
    }
    let local = time.with_timezone(&zone).naive_local();
    zone.from_local_datetime(&local).single()?;
    Some(PartialDateTime::from_naive_timestamp(local.and_utc().timestamp()))
}
