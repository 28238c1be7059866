//! Clients: partner systems that sign in with OAuth 2 client credentials. They are revoked, never deleted.

mod api;
pub mod model;
pub mod secrets;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_clients)
        .service(api::create_client)
        .service(api::get_client)
        .service(api::replace_client)
        .service(api::patch_client)
        .service(api::create_client_secret)
        .service(api::delete_client_secret);
}
