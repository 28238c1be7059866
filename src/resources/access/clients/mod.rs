//! Clients: partner systems that sign in with OAuth 2 client credentials. A client can be disabled, but never deleted.

mod api;
pub mod model;
pub mod scopes;
pub mod secrets;
pub mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_clients)
        .service(api::create_client)
        .service(api::get_client)
        .service(api::replace_client)
        .service(api::patch_client)
        .service(api::create_client_secret)
        .service(api::delete_client_secret);
}
