//! Calendars: events as calendar programs read them (RFC 5545).

mod api;
mod icalendar;
pub mod model;
mod writing;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(api::get_events_calendar).service(api::get_municipality_calendar).service(api::get_linked_calendar);
}
