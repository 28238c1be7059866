//! Municipalities. A municipality is identified by its official three-digit code.

mod api;
pub mod merger;
pub mod model;
pub mod refused;
pub mod scopes;
pub mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_municipalities)
        .service(api::create_municipality)
        .service(api::get_municipality)
        .service(api::replace_municipality)
        .service(api::patch_municipality)
        .service(api::delete_municipality)
        .service(api::merge_municipality);
}
