//! Signing in: access tokens for people and for partner systems.

mod api;
mod grant;
mod oauth;

use utoipa_actix_web::service_config::ServiceConfig;

pub use self::grant::{of_account, of_client};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(api::login).service(oauth::issue_token).service(api::get_me);
}
