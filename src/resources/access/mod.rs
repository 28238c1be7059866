//! Access: the accounts of people, the clients of partner systems, and how both sign in.

pub mod accounts;
pub mod clients;
pub mod sign_in;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.configure(accounts::routes).configure(clients::routes).configure(sign_in::routes);
}
