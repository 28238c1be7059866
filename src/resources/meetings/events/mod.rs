//! Events: meetings at which tutors share what works in digital support.

mod api;
pub mod calendar_window;
mod filter;
mod include;
mod list;
pub mod model;
pub mod scopes;
pub mod status;
pub mod store;
pub mod venue;
pub mod visibility;

use crate::http::routes::Routes;

pub(in crate::resources) fn reads(config: &mut Routes<'_, '_>) {
    config.service(api::list_events).service(api::get_event);
}

pub(in crate::resources) fn writes(config: &mut Routes<'_, '_>) {
    config.service(api::create_event).service(api::replace_event).service(api::patch_event).service(api::delete_event);
}
