//! Evaluates the time zone definitions (VTIMEZONE) of a calendar as RFC 5545, section 3.6.5, says. A program that does
//! not know a zone by name has nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

/// A UTC offset and its beginning, yearly if it has a rule.
#[derive(Debug, Default)]
struct Observance {
    start: NaiveDateTime,
    from: TimeDelta,
    to: TimeDelta,
    rule: Option<BTreeMap<String, String>>,
}

/// The time zones of a calendar, by name.
pub(super) struct Zones(BTreeMap<String, Vec<Observance>>);

impl Zones {
    /// Parses the time zones of a calendar.
    pub(super) fn of(calendar: &str) -> Self {
        let (mut zones, mut zone) = (BTreeMap::<String, Vec<Observance>>::new(), String::new());
        let unfolded = calendar.replace("\r\n ", "");
        let definitions = unfolded.lines().filter_map(|line| line.split_once(':'));
        for (name, value) in definitions.take_while(|line| *line != ("BEGIN", "VEVENT")) {
            let last = zones.get_mut(&zone).and_then(|observances| observances.last_mut());
            match (name, value, last) {
                ("TZID", id, _) => id.clone_into(&mut zone),
                ("BEGIN", "STANDARD" | "DAYLIGHT", _) => {
                    zones.entry(zone.clone()).or_default().push(Observance::default());
                }
                ("DTSTART", at, Some(last)) => last.start = NaiveDateTime::parse_from_str(at, LOCAL).unwrap(),
                ("TZOFFSETFROM", offset, Some(last)) => last.from = difference(offset),
                ("TZOFFSETTO", offset, Some(last)) => last.to = difference(offset),
                ("RRULE", rule, Some(last)) => {
                    let parts = rule.split(';').map(|part| part.split_once('=').unwrap());
                    last.rule = Some(parts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
                }
                ("BEGIN" | "END" | "TZNAME", ..) => {}
                (other, ..) if zone.is_empty() => assert!(!other.starts_with("TZ"), "{other} outside a zone"),
                (other, ..) => panic!("{other}: this parser does not support it"),
            }
        }
        Self(zones)
    }

    /// Returns the instant of a local time.
    #[track_caller]
    pub(super) fn moment(&self, zone: &str, local: NaiveDateTime) -> DateTime<Utc> {
        let observances = self.0.get(zone).unwrap_or_else(|| panic!("{zone} is not defined"));
        let onsets = observances.iter().flat_map(|of| of.onsets(local.year()).map(move |onset| (onset, of.to)));
        let latest = onsets.filter(|(onset, _)| *onset <= local).max_by_key(|(onset, _)| *onset);
        let (_, offset) = latest.unwrap_or_else(|| panic!("{local} is before the first offset of {zone}"));
        (local - offset).and_utc()
    }
}

const LOCAL: &str = "%Y%m%dT%H%M%S";

/// Parses an offset such as `+0200`.
fn difference(offset: &str) -> TimeDelta {
    let (sign, digits) = offset.split_at(1);
    let minutes = digits[..2].parse::<i64>().unwrap() * 60 + digits[2..].parse::<i64>().unwrap();
    TimeDelta::minutes(if sign == "-" { -minutes } else { minutes })
}

impl Observance {
    /// Returns the local times at which the offset begins, up to this year.
    fn onsets(&self, last: i32) -> impl Iterator<Item = NaiveDateTime> {
        let years = if self.rule.is_some() { self.start.year() + 1..last + 1 } else { 0..0 };
        std::iter::once(self.start).chain(years.filter_map(|year| self.onset(year)))
    }

    fn onset(&self, year: i32) -> Option<NaiveDateTime> {
        let rule = self.rule.as_ref()?;
        let known = ["FREQ", "UNTIL", "BYMONTH", "BYDAY"];
        assert!(rule["FREQ"] == "YEARLY" && rule.keys().all(|part| known.contains(&part.as_str())), "{rule:?}");
        let (nth, day) = rule["BYDAY"].split_at(rule["BYDAY"].len() - 2);
        let day = day.replace("MO", "Mon").replace("TU", "Tue").replace("WE", "Wed").replace("TH", "Thu");
        let day = day.replace("FR", "Fri").replace("SA", "Sat").replace("SU", "Sun").parse::<Weekday>().unwrap();
        let (month, nth) = (rule["BYMONTH"].parse().unwrap(), nth.parse::<i8>().unwrap());
        let nth_day = |nth| NaiveDate::from_weekday_of_month_opt(year, month, day, nth);
        let onset = u8::try_from(nth).map_or_else(|_| nth_day(5).or_else(|| nth_day(4)), nth_day)?;
        assert!(nth >= -1, "{rule:?}");
        let onset = onset.and_time(self.start.time());
        let until = rule.get("UNTIL").map(|until| NaiveDateTime::parse_from_str(until, &format!("{LOCAL}Z")).unwrap());
        until.is_none_or(|until| onset - self.from <= until).then_some(onset)
    }
}
