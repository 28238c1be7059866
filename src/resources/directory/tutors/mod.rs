//! Tutors: people who give digital support in a municipality and tutor their colleagues in others.
//!
//! Every caller sees all tutors. Their names and contacts are personal data: the module `visibility` alone decides which
//! callers see them.

mod api;
mod list;
pub mod model;
pub mod scopes;
pub mod store;
mod visibility;

use crate::http::routes::Routes;

pub(in crate::resources) fn reads(config: &mut Routes<'_, '_>) {
    config.service(api::list_tutors).service(api::get_tutor);
}

pub(in crate::resources) fn writes(config: &mut Routes<'_, '_>) {
    config.service(api::create_tutor).service(api::replace_tutor).service(api::patch_tutor).service(api::delete_tutor);
}
