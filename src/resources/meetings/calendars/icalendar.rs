//! Writes events as iCalendar (RFC 5545, RFC 7986).

use std::collections::HashMap;

use calcard::icalendar::{
    ICalendar, ICalendarComponent as Component, ICalendarComponentType as ComponentType, ICalendarDuration as Duration,
    ICalendarEntry, ICalendarParameter as Parameter, ICalendarProperty as Property, ICalendarStatus as Status,
    ICalendarValue, ICalendarValueType, Uri,
};
use chrono::TimeDelta;
use url::Url;

use super::{
    language::Language,
    time_zones::{DefinedZones, in_utc},
};
use crate::{
    domain::{LocalizedName, MunicipalityCode, ThemeSlug},
    resources::{
        directory::municipalities::{model::Location, store::Place},
        meetings::events::{
            model::{Event, EventInput},
            status::EventStatus,
            venue::Venue,
        },
    },
};

/// The program that wrote the calendar (RFC 5545, section 3.7.3).
const PRODUCT: &str = "-//Kuntatutorit//Kuntatutorit//EN";
/// How often programs should read the calendar again.
const REFRESH_HOURS: u32 = 1;

/// The contents of a calendar.
#[derive(Debug)]
pub(super) struct Contents {
    /// The name that calendar programs show.
    pub(super) name: String,
    /// The language of the texts.
    pub(super) language: Language,
    /// The public URL of the service. The addresses of hosts begin with it.
    pub(super) public_url: String,
    /// The events.
    pub(super) events: Vec<Event>,
    /// The hosts of the events, and the municipalities of their venues.
    pub(super) municipalities: HashMap<MunicipalityCode, Place>,
    /// The names of the events' themes.
    pub(super) themes: HashMap<ThemeSlug, LocalizedName>,
    /// True when events are missing because the calendar would be too large.
    pub(super) is_cut: bool,
}

/// Writes a calendar. The text depends only on the contents.
pub(super) fn write(contents: &Contents) -> String {
    let mut calendar = ICalendar { components: vec![calendar_component(contents)] };
    let zones = DefinedZones::define(&mut calendar, &contents.events);
    for event in &contents.events {
        add_component(&mut calendar, event_component(event, contents, &zones));
    }
    calendar.to_string()
}

fn calendar_component(contents: &Contents) -> Component {
    let mut component = Component::new(ComponentType::VCalendar);
    component.add_property(Property::Version, "2.0");
    component.add_property(Property::Prodid, PRODUCT);
    let name = without_controls(&contents.name);
    component.add_property(Property::Name, name.clone());
    component.add_property(Property::Other("X-WR-CALNAME".to_owned()), name);
    if contents.is_cut {
        let notice = contents.language.cut_notice();
        let parameters = [Parameter::language(contents.language.as_str().to_owned())];
        component.add_property_with_params(Property::Description, parameters, notice.to_owned());
        component.add_property(Property::Other("X-WR-CALDESC".to_owned()), notice.to_owned());
    }
    let refresh = Duration { hours: REFRESH_HOURS, ..Duration::default() };
    let published_ttl = refresh.to_string();
    let parameters = [Parameter::value(ICalendarValueType::Duration)];
    component.add_property_with_params(Property::RefreshInterval, parameters, refresh);
    component.add_property(Property::Other("X-PUBLISHED-TTL".to_owned()), published_ttl);
    component
}

fn add_component(calendar: &mut ICalendar, component: Component) {
    if let Ok(id) = u32::try_from(calendar.components.len()) {
        calendar.components[0].component_ids.push(id);
        calendar.components.push(component);
    }
}

fn event_component(event: &Event, contents: &Contents, zones: &DefinedZones) -> Component {
    let language = contents.language;
    let Event { id, fields, sequence, created_at, updated_at, .. } = event;
    let mut component = Component::new(ComponentType::VEvent);
    // Nothing but the id (RFC 7986, section 5.3): the event stays the same when the address of the service changes.
    component.add_uid(&id.to_string());
    // In a calendar without a METHOD, the stamp is the time of the last revision (section 3.8.7.2).
    component.add_dtstamp(in_utc(*updated_at));
    component.add_property(Property::Created, in_utc(*created_at));
    component.add_property(Property::LastModified, in_utc(*updated_at));
    component.add_sequence((*sequence).into());
    zones.add_time(&mut component, Property::Dtstart, fields.starts_at, &fields.time_zone);
    // iCalendar has whole seconds. Rounding up keeps the end of a short event after its start, as section 3.8.2.2 demands.
    let ends_at = fields.ends_at + TimeDelta::nanoseconds(999_999_999);
    zones.add_time(&mut component, Property::Dtend, ends_at, &fields.time_zone);
    component.add_property(Property::Status, status(fields.status));
    add_summary(&mut component, fields, language);
    add_description(&mut component, fields, language);
    add_place(&mut component, fields, language);
    add_references(&mut component, fields, contents);
    component
}

/// Adds the title. Calendar programs show `TENTATIVE` in many ways or not at all, so a postponed event also says so
/// here.
fn add_summary(component: &mut Component, fields: &EventInput, language: Language) {
    let Some((tag, title)) = language.part_of(&fields.title) else { return };
    if fields.status == EventStatus::Postponed {
        add_text(component, Property::Summary, Some((tag, &format!("{}: {title}", language.postponed()))));
    } else {
        add_text(component, Property::Summary, Some((tag, title)));
    }
}

/// Adds the host as the organizer, the themes as categories, and the location.
fn add_references(component: &mut Component, fields: &EventInput, contents: &Contents) {
    let Contents { language, public_url, municipalities, themes, .. } = contents;
    if let Some(code) = &fields.host_municipality_code
        && let Some(host) = municipalities.get(code)
    {
        let name = language.part_of(&host.name).map_or("", |(_, name)| name);
        let uri = Uri::Location(format!("{public_url}/v1/municipalities/{}", code.as_str()));
        // A parameter can have no quotation mark (RFC 5545, section 3.2).
        let name = without_controls(name).replace(['"', '\n'], " ");
        component.add_property_with_params(Property::Organizer, [Parameter::cn(name)], ICalendarValue::Uri(uri));
    }
    for theme in fields.themes.iter().filter_map(|slug| themes.get(slug)) {
        add_text(component, Property::Categories, language.part_of(theme));
    }
    if let Some(center) = center_of_venue(fields, municipalities) {
        let values = vec![center.lat.into(), center.lon.into()];
        component.entries.push(ICalendarEntry { name: Property::Geo, params: Vec::new(), values });
    }
}

/// Returns the centre of the venue's municipality, if the venue has no address: programs find an address themselves,
/// and more exactly.
fn center_of_venue<'a>(
    fields: &EventInput,
    municipalities: &'a HashMap<MunicipalityCode, Place>,
) -> Option<&'a Location> {
    let venue = fields.venue.as_ref().filter(|venue| venue.address.is_none())?;
    Some(&municipalities.get(venue.municipality_code.as_ref()?)?.location)
}

fn status(status: EventStatus) -> Status {
    match status {
        EventStatus::Draft | EventStatus::Postponed => Status::Tentative,
        EventStatus::Published | EventStatus::Completed => Status::Confirmed,
        EventStatus::Cancelled => Status::Cancelled,
    }
}

/// Adds the reason for the status and the description as one text. It is marked with the language of the description.
fn add_description(component: &mut Component, fields: &EventInput, language: Language) {
    let reason = fields.status_reason.as_ref().and_then(|reason| language.part_of(reason));
    let description = fields.description.as_ref().and_then(|description| language.part_of(description));
    let texts: Vec<_> = reason.iter().chain(&description).map(|(_, text)| *text).collect();
    if let Some((tag, _)) = description.or(reason) {
        add_text(component, Property::Description, Some((tag, &texts.join("\n\n"))));
    }
}

/// Adds the venue as the location, or the online address if there is no venue, and the online address as the URL.
fn add_place(component: &mut Component, fields: &EventInput, language: Language) {
    let online = fields.online_url.as_ref().and_then(|address| Url::parse(address.as_str()).ok());
    let venue = fields.venue.as_ref().and_then(|venue| location(venue, language));
    if let Some(location) = venue.or_else(|| online.as_ref().map(Url::to_string)) {
        component.add_property(Property::Location, without_controls(&location));
    }
    if let Some(online) = online {
        // Percent-encoded, because calcard escapes both characters with a backslash, which is right in texts only.
        component.add_property(Property::Url, online.as_str().replace(',', "%2C").replace(';', "%3B"));
    }
}

fn location(venue: &Venue, language: Language) -> Option<String> {
    let name = venue.name.as_ref().and_then(|name| language.part_of(name));
    let parts: Vec<_> = name.map(|(_, text)| text).into_iter().chain(venue.address.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn add_text(component: &mut Component, property: Property, text: Option<(&str, &str)>) {
    if let Some((tag, text)) = text {
        component.add_property_with_params(property, [Parameter::language(tag.to_owned())], without_controls(text));
    }
}

/// Replaces control characters, which a text must not have (RFC 5545, section 3.3.11): a lone carriage return, for example,
/// could end the line, so that the rest of the text would be read as another property.
fn without_controls(text: &str) -> String {
    let replace = |c: char| match c {
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\n' | '\t' => c,
        c if c.is_control() => ' ',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(replace).collect()
}
