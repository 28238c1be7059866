//! Calendar links: secret addresses of calendars, for programs that send no token.

mod api;
pub mod model;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_calendar_links)
        .service(api::create_calendar_link)
        .service(api::get_calendar_link)
        .service(api::delete_calendar_link);
}
