//! Changes: the ledger of what happened, in an order in which nothing is missed or repeated.

mod api;
mod collection;
mod follow;
pub mod ledger_poller;
pub mod model;
mod query;
pub mod scopes;
mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::list_changes);
}
