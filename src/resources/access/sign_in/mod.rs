//! Signing in: access tokens for people and for partner systems.

mod api;
mod grant;
mod me;
mod oauth;
mod password;
mod sessions;

use crate::http::routes::Routes;

pub use self::grant::{of_account, of_client};

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::login)
        .service(api::refresh)
        .service(api::logout)
        .service(password::set_password)
        .service(oauth::issue_token)
        .service(me::get_me);
}
