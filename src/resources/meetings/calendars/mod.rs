//! Calendars: the events in the format of calendar programs (iCalendar, RFC 5545).

mod api;
mod icalendar;
pub mod language;
mod model;
mod store;
mod time_zones;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::get_events_calendar).service(api::get_municipality_calendar).service(api::get_linked_calendar);
}
