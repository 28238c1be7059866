//! Calendars: events as calendar programs read them (RFC 5545).

mod api;
mod icalendar;
pub mod model;
mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::get_events_calendar).service(api::get_municipality_calendar).service(api::get_linked_calendar);
}
