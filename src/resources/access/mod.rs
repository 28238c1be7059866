//! Access: accounts of people, clients of partner systems, and signing in.

pub mod accounts;
pub mod clients;
pub mod sign_in;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.configure(accounts::routes).configure(clients::routes).configure(sign_in::routes);
}
