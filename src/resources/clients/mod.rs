//! Clients: partner systems that sign in with OAuth 2 client credentials.

pub mod model;
pub mod store;
