//! Signing in: how people and partner systems get access tokens.

mod api;
mod attempts;
mod grant;
mod me;
mod oauth;
mod password;
mod sessions;
mod token_form;
mod token_problem;
mod token_response;

use crate::http::routes::Routes;

pub use self::grant::grant_of_account;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::login)
        .service(api::refresh)
        .service(api::logout)
        .service(password::set_password)
        .service(oauth::issue_token)
        .service(me::get_me);
}
