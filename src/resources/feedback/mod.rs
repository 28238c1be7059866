//! Feedback on events: answers of participants about the tutors, and of tutors about the participants.

mod api;
mod list;
pub mod model;
pub mod scopes;
mod store;
pub mod summaries;
mod validation;
mod visibility;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config
        .configure(summaries::routes)
        .service(api::list_feedback)
        .service(api::create_feedback)
        .service(api::get_feedback)
        .service(api::replace_feedback)
        .service(api::patch_feedback)
        .service(api::delete_feedback);
}
