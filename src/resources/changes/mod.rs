//! Changes: the ledger of what happened, in an order in which nothing is missed or repeated.

mod api;
mod follow;
pub mod model;
pub mod news;
mod query;
mod store;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::list_changes);
}
