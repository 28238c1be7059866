//! The service itself: its root, health checks, public keys, documentation, and the sources of the data.

mod about;
pub mod documentation;
mod health;
mod root;
mod well_known;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(root::get_root)
        .service(about::get_about)
        .service(health::get_livez)
        .service(health::get_readyz)
        .service(well_known::get_jwks)
        .service(well_known::get_oauth_metadata)
        .service(documentation::get_openapi)
        .service(documentation::get_problems);
    documentation::interactive_page(config);
}
