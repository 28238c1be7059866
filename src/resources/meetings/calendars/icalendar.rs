//! Events as iCalendar (RFC 5545, RFC 7986).

use std::collections::BTreeMap;

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent as Component, ICalendarComponentType as Kind, ICalendarDuration as Duration,
        ICalendarParameter as Parameter, ICalendarProperty as Property, ICalendarStatus as Status, ICalendarValueType,
    },
};
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use url::Url;

use super::model::Language;
use crate::resources::meetings::events::{model::Event, status::EventStatus, venue::Venue};

/// What made the calendar (RFC 5545, section 3.7.3).
const PRODUCT: &str = "-//Kuntatutorit//Kuntatutorit//EN";
/// How often a program shall look for news.
const REFRESH_HOURS: u32 = 1;
/// From 1973 to 2099 times are told in their zone; others in UTC, so that the definitions of zones stay small. Before, the
/// last offsets were in use that are no whole minutes.
const ZONED: std::ops::Range<i64> = 94_694_400..4_102_444_800;

/// What a calendar shows.
#[derive(Debug)]
pub(super) struct Contents {
    /// What programs call it.
    pub(super) name: String,
    /// The language that is preferred.
    pub(super) language: Language,
    /// Where callers reach the service: the right side of each `UID`.
    pub(super) public_url: String,
    /// Its events.
    pub(super) events: Vec<Event>,
}

/// Writes a calendar: the same contents give the same text.
pub(super) fn write(contents: &Contents) -> String {
    let mut root = Component::new(Kind::VCalendar);
    root.add_property(Property::Version, "2.0");
    root.add_property(Property::Prodid, PRODUCT);
    let name = clean(&contents.name);
    root.add_property(Property::Name, name.clone());
    root.add_property(Property::Other("X-WR-CALNAME".to_owned()), name);
    let refresh = Duration { hours: REFRESH_HOURS, ..Duration::default() };
    root.add_property_with_params(
        Property::RefreshInterval,
        [Parameter::value(ICalendarValueType::Duration)],
        refresh.clone(),
    );
    root.add_property(Property::Other("X-PUBLISHED-TTL".to_owned()), refresh.to_string());
    let mut calendar = ICalendar { components: vec![root] };
    let zones = defined_zones(&mut calendar, &contents.events);
    let host = Url::parse(&contents.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    for shown in &contents.events {
        let uid = format!("{}@{}", shown.id, host.as_deref().unwrap_or_default());
        push(&mut calendar, event(shown, &uid, contents.language, &zones));
    }
    calendar.to_string()
}

fn push(calendar: &mut ICalendar, component: Component) {
    if let Ok(id) = u32::try_from(calendar.components.len()) {
        calendar.components[0].component_ids.push(id);
        calendar.components.push(component);
    }
}

/// Defines the zones that the events' times are told in, each for as long as they need it; gives those that are
/// defined.
fn defined_zones(calendar: &mut ICalendar, events: &[Event]) -> Vec<Tz> {
    let mut spans = BTreeMap::<&str, (Tz, i64, i64)>::new();
    for Event { fields, .. } in events {
        let Ok(zone) = fields.time_zone.parse::<Tz>() else { continue };
        for time in [fields.starts_at.timestamp(), fields.ends_at.timestamp()] {
            if ZONED.contains(&time) {
                let (_, from, to) = spans.entry(zone.name()).or_insert((zone, time, time));
                (*from, *to) = ((*from).min(time), (*to).max(time));
            }
        }
    }
    // A year before, so that the offset that holds at first has its true beginning where there is one.
    let year = 366 * 24 * 60 * 60;
    let defined =
        spans.into_iter().filter(|(name, (_, from, to))| calendar.add_timezone(name, from - year, to + year).is_some());
    defined.map(|(_, (zone, ..))| zone).collect()
}

fn event(shown: &Event, uid: &str, language: Language, zones: &[Tz]) -> Component {
    let Event { fields, sequence, created_at, updated_at, .. } = shown;
    let mut component = Component::new(Kind::VEvent);
    component.add_uid(uid);
    // Without a METHOD, the stamp is the time of the last revision (section 3.8.7.2).
    component.add_dtstamp(in_utc(*updated_at));
    component.add_property(Property::Created, in_utc(*created_at));
    component.add_property(Property::LastModified, in_utc(*updated_at));
    component.add_sequence((*sequence).into());
    let zone = fields.time_zone.parse::<Tz>().ok().filter(|zone| zones.contains(zone));
    add_time(&mut component, Property::Dtstart, fields.starts_at, zone);
    // Whole seconds are told: rounded up, the end is later than the start, as it must be (section 3.8.2.2).
    add_time(&mut component, Property::Dtend, fields.ends_at + TimeDelta::nanoseconds(999_999_999), zone);
    component.add_property(Property::Status, status(fields.status));
    add_text(&mut component, Property::Summary, language.of(&fields.title));
    let reason = fields.status_reason.as_ref().and_then(|reason| language.of(reason));
    let description = fields.description.as_ref().and_then(|description| language.of(description));
    let both: Vec<_> = reason.iter().chain(&description).map(|(_, text)| *text).collect();
    let told_in = description.or(reason).map(|(language, _)| language);
    add_text(&mut component, Property::Description, told_in.zip(Some(both.join("\n\n").as_str())));
    let online = fields.online_url.as_ref().and_then(|address| Url::parse(address.as_str()).ok());
    let place = fields.venue.as_ref().and_then(|venue| place(venue, language));
    if let Some(place) = place.or_else(|| online.as_ref().map(Url::to_string)) {
        component.add_property(Property::Location, clean(&place));
    }
    if let Some(online) = online {
        // As an address has neither: the writer would put a backslash before both, which belongs in texts only.
        component.add_property(Property::Url, online.as_str().replace(',', "%2C").replace(';', "%3B"));
    }
    component
}

fn status(status: EventStatus) -> Status {
    match status {
        EventStatus::Draft | EventStatus::Postponed => Status::Tentative,
        EventStatus::Published | EventStatus::Completed => Status::Confirmed,
        EventStatus::Cancelled => Status::Cancelled,
    }
}

fn in_utc(time: DateTime<Utc>) -> PartialDateTime {
    PartialDateTime::from_utc_timestamp(time.timestamp())
}

/// A time in its zone; in UTC where the local time would not say which moment is meant.
fn add_time(component: &mut Component, property: Property, time: DateTime<Utc>, zone: Option<Tz>) {
    let local = zone.filter(|_| ZONED.contains(&time.timestamp())).and_then(|zone| {
        let local = time.with_timezone(&zone);
        // An hour that comes twice is the first one by section 3.3.5; not every program knows that.
        let once = zone.from_local_datetime(&local.naive_local()).single().is_some();
        once.then(|| (zone, local.naive_local().and_utc().timestamp()))
    });
    match local {
        None => component.add_property(property, in_utc(time)),
        Some((zone, local)) => component.add_property_with_params(
            property,
            [Parameter::tzid(zone.name().to_owned())],
            PartialDateTime::from_naive_timestamp(local),
        ),
    }
}

fn add_text(component: &mut Component, property: Property, text: Option<(Language, &str)>) {
    if let Some((language, text)) = text {
        let language = Parameter::language(language.as_str().to_owned());
        component.add_property_with_params(property, [language], clean(text));
    }
}

fn place(venue: &Venue, language: Language) -> Option<String> {
    let name = venue.name.as_ref().and_then(|name| language.of(name));
    let parts: Vec<_> = name.map(|(_, text)| text).into_iter().chain(venue.address.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A text without what RFC 5545 has no place for (section 3.3.11): a lone carriage return or another control character
/// could end a line, and begin a property that nobody wrote.
fn clean(text: &str) -> String {
    let tidy = |c: char| match c {
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\n' | '\t' => c,
        c if c.is_control() => ' ',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(tidy).collect()
}
