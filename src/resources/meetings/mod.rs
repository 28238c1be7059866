//! Meetings: events, and the calendars that show them.

pub mod calendar_links;
pub mod calendars;
pub mod events;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.configure(events::writes).configure(calendars::routes).configure(calendar_links::routes);
}
