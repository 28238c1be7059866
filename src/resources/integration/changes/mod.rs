//! Changes: the ledger of every write. A consumer that follows it keeps a copy of the data, and misses and repeats no change.

mod api;
mod collection;
pub mod ledger_poller;
mod long_poll;
pub mod model;
mod query;
pub mod scopes;
mod store;
mod visibility;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::list_changes);
}
