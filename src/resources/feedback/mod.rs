//! Feedback: what participants and tutors say of an event, in both directions.

mod api;
mod giving;
mod list;
pub mod model;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_feedback)
        .service(api::create_feedback)
        .service(api::get_feedback)
        .service(api::replace_feedback)
        .service(api::patch_feedback)
        .service(api::delete_feedback);
}
