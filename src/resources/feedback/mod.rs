//! Feedback: what participants and tutors say of an event, in both directions.

mod api;
mod giving;
mod list;
pub mod model;
pub mod store;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_feedback)
        .service(api::create_feedback)
        .service(api::get_feedback)
        .service(api::replace_feedback)
        .service(api::patch_feedback)
        .service(api::delete_feedback);
}
