//! Changes: the ledger of what happened, in an order in which nothing is missed or repeated.

mod api;
mod follow;
pub mod model;
pub mod news;
mod query;
mod store;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(api::list_changes);
}
