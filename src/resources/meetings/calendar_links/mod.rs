//! Calendar links: secret addresses of calendars, for calendar programs that send no token.

mod api;
pub mod linked_calendar;
pub mod model;
pub mod scopes;
mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_calendar_links)
        .service(api::create_calendar_link)
        .service(api::get_calendar_link)
        .service(api::delete_calendar_link);
}
