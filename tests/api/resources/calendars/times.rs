//! Times in their time zones, across daylight saving changes.

use std::collections::BTreeMap;

use chrono::{DateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use icalendar::{CalendarDateTime, Component as _, DatePerhapsTime, Event};
use serde_json::json;

use super::{PATH, events, insert_vantaa_event, parse, server_without_events, zones::Zones};
use crate::support::Server;

/// Returns the instant of a time in the calendar. Fails if the time does not determine one.
#[track_caller]
fn moment(time: Option<DatePerhapsTime>) -> DateTime<Utc> {
    match time {
        Some(DatePerhapsTime::DateTime(time)) => {
            time.try_into_utc().unwrap_or_else(|| panic!("{time:?} is not a single instant"))
        }
        other => panic!("{other:?} is not a time"),
    }
}

fn local(event: &Event) -> Option<String> {
    match event.get_start() {
        Some(DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid })) => {
            Some(format!("{date_time} {tzid}"))
        }
        _ => None,
    }
}

/// Inserts half-hour events that start at these seconds since 1970, each in its time zone.
async fn insert_events(server: &Server, starts: impl IntoIterator<Item = (i64, &str)>) {
    let starts: Vec<_> = starts.into_iter().map(|(start, zone)| format!("({start}, '{zone}')")).collect();
    let rows = format!(
        "insert into events (id, source, title, kind, modality, starts_at, ends_at, time_zone, status)
         select gen_random_uuid(), 'kuntatutorit', jsonb_build_object('fi', at::text), 'webinar', 'online',
             to_timestamp(at), to_timestamp(at) + interval '30 minutes', zone, 'published'
         from (values {}) as v (at, zone)",
        starts.join(", ")
    );
    server.execute(&rows).await;
}

/// Asserts that the calendar has the instant that each event's title names.
#[track_caller]
fn assert_times_agree(events: &[Event]) {
    for event in events {
        let at = event.get_summary().unwrap().parse().unwrap();
        let start = DateTime::from_timestamp(at, 0).unwrap();
        assert_eq!(moment(event.get_start()), start);
        assert_eq!(moment(event.get_end()), start + TimeDelta::minutes(30));
    }
}

/// Like [`assert_times_agree`], for a program that knows only the time zones that the calendar defines.
#[track_caller]
fn assert_times_agree_by_definition(text: &str, events: &[Event]) {
    let zones = Zones::of(text);
    for event in events {
        if let Some(DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid })) = event.get_start() {
            let at = event.get_summary().unwrap().parse().unwrap();
            let told = zones.moment(&tzid, date_time);
            assert_eq!(told, DateTime::from_timestamp(at, 0).unwrap(), "{date_time} {tzid}");
        }
    }
}

#[tokio::test]
async fn times_agree_across_both_changes_of_2020() {
    let server = server_without_events().await;
    let changes = [(2020, 3, 29), (2020, 10, 25)].map(|(y, m, d)| Utc.with_ymd_and_hms(y, m, d, 1, 0, 0).unwrap());
    let starts: Vec<_> =
        changes.iter().flat_map(|change| (-24..24).map(move |n| change.timestamp() + n * 900)).collect();
    insert_events(&server, starts.into_iter().map(|start| (start, "Europe/Helsinki"))).await;
    let text = server.coordinator().get(PATH).await.expect(200).text;
    let events: Vec<_> = parse(&text).events().cloned().collect();
    assert_eq!(events.len(), 96);
    assert_times_agree(&events);
    assert_times_agree_by_definition(&text, &events);
    let told: BTreeMap<_, _> =
        events.iter().map(|e| (e.get_summary().unwrap().parse::<i64>().unwrap(), local(e))).collect();
    let at = |text: &str| told[&text.parse::<DateTime<Utc>>().unwrap().timestamp()].as_deref();
    // In spring the hour from 03:00 to 04:00 does not exist. In autumn it occurs twice, so the calendar writes it in
    // UTC.
    assert_eq!(at("2020-03-29T00:45:00Z"), Some("2020-03-29 02:45:00 Europe/Helsinki"));
    assert_eq!(at("2020-03-29T01:00:00Z"), Some("2020-03-29 04:00:00 Europe/Helsinki"));
    assert_eq!(at("2020-10-24T23:45:00Z"), Some("2020-10-25 02:45:00 Europe/Helsinki"));
    assert_eq!(at("2020-10-25T00:00:00Z"), None);
    assert_eq!(at("2020-10-25T01:45:00Z"), None);
    assert_eq!(at("2020-10-25T02:00:00Z"), Some("2020-10-25 04:00:00 Europe/Helsinki"));
}

/// Returns the first second of each new UTC offset of the zone between these two instants.
fn changes(zone: Tz, from: i64, to: i64) -> Vec<i64> {
    let offset = |at: i64| zone.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc()).fix();
    let days = (from..to).step_by(86_400).filter(|day| offset(*day) != offset(day + 86_400));
    let found = days.map(|day| {
        let (mut before, mut after) = (day, day + 86_400);
        while after - before > 1 {
            let middle = before.midpoint(after);
            if offset(middle) == offset(day) { before = middle } else { after = middle }
        }
        after
    });
    found.collect()
}

/// In each zone: a winter, a summer, before and after each change of a year, and one instant somewhere in 1900 to 2199.
#[tokio::test]
async fn times_agree_in_every_zone_across_its_changes_and_in_every_century() {
    let server = server_without_events().await;
    let mut told = 0;
    let zones: Vec<_> = chrono_tz::TZ_VARIANTS.iter().copied().enumerate().collect();
    // The calendar holds a thousand events, at most 500 of them past.
    for some in zones.chunks(55) {
        server.execute("delete from events").await;
        let mut starts = Vec::new();
        for (index, zone) in some {
            let index = i64::try_from(*index).unwrap();
            let year = 946_684_800 + index % 21 * 31_557_600;
            let somewhere = -2_208_988_800 + index * 15_000_000 + index * 977 % 86_400;
            let around = changes(*zone, year, year + 31_557_600).into_iter().flat_map(|at| [at - 1800, at, at + 1800]);
            let all = around.chain([year + 1_000_000, year + 17_000_000, somewhere]);
            starts.extend(all.map(|start| (start, zone.name())));
        }
        told += starts.len();
        insert_events(&server, starts).await;
        let text = server.coordinator().get(PATH).await.expect(200).text;
        let events: Vec<_> = parse(&text).events().cloned().collect();
        told -= events.len();
        assert_times_agree(&events);
        assert_times_agree_by_definition(&text, &events);
    }
    assert_eq!(told, 0, "some events are not in the calendar");
}

#[tokio::test]
async fn time_zone_definitions_stay_small() {
    let server = server_without_events().await;
    insert_events(&server, [-2_208_988_800, 7_258_000_000].map(|start| (start, "Europe/Helsinki"))).await;
    insert_events(&server, [94_694_400, 4_102_440_000].map(|start| (start, "America/New_York"))).await;
    let text = server.coordinator().get(PATH).await.expect(200).text;
    assert!(!text.contains("TZID:Europe/Helsinki"), "all of its times are in UTC");
    assert_eq!(text.matches("TZID:America/New_York\r\n").count(), 1);
    assert!(text.len() < 10_000, "{} octets", text.len());
}

#[tokio::test]
async fn each_event_has_its_own_time_zone() {
    let server = server_without_events().await;
    let times = json!({"starts_at": "2026-07-01T06:00:00Z", "ends_at": "2026-07-01T07:00:00Z"});
    let mut of_stockholm = times.clone();
    of_stockholm["time_zone"] = json!("Europe/Stockholm");
    insert_vantaa_event(&server, "a", of_stockholm).await;
    insert_vantaa_event(&server, "b", times).await;
    let mut told: Vec<_> = events(&server.coordinator(), PATH).await.iter().filter_map(local).collect();
    told.sort();
    assert_eq!(told, ["2026-07-01 08:00:00 Europe/Stockholm", "2026-07-01 09:00:00 Europe/Helsinki"]);
}
