//! Accounts: people who sign in.

pub mod model;
pub mod store;
