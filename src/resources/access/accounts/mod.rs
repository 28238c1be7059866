//! Accounts of people. The coordinator creates them by invitation. An account can be disabled, but never deleted.

mod api;
pub mod invitations;
pub mod model;
pub mod scopes;
pub mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_accounts)
        .service(api::create_account)
        .service(api::get_account)
        .service(api::replace_account)
        .service(api::patch_account)
        .service(api::create_invitation);
}
