//! Events: where tutors present and share what worked.

pub mod announced;
mod api;
pub mod filter;
pub mod include;
mod links;
mod list;
pub mod model;
mod rules;
pub mod status;
pub mod store;

use crate::http::routes::Routes;

/// What the ledger of changes calls events.
pub const LEDGER: &str = "events";

pub(super) fn reads(config: &mut Routes<'_, '_>) {
    config.service(api::list_events).service(api::get_event);
}

pub(super) fn writes(config: &mut Routes<'_, '_>) {
    config.service(api::create_event).service(api::replace_event).service(api::patch_event).service(api::delete_event);
}
