//! Changes: the ledger of every write. A system that follows it can keep a copy of the data. It misses no change and gets
//! none twice.

mod api;
mod collection;
pub mod ledger_poller;
mod long_poll;
mod mark;
pub mod model;
mod query;
pub mod scopes;
mod store;
mod visibility;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::list_changes);
}
