//! Municipalities: whom the network is to reach, known by their official three-digit codes.

mod api;
pub mod model;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_municipalities)
        .service(api::create_municipality)
        .service(api::get_municipality)
        .service(api::replace_municipality)
        .service(api::patch_municipality)
        .service(api::delete_municipality);
}
