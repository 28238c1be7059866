//! Authentication and permissions: access tokens and the keys that sign them, passwords, revocations, scopes and reach.

pub mod failures;
pub mod hashing_places;
mod hashing_queue;
pub mod keys;
pub mod known_addresses;
pub mod network_address;
pub mod passwords;
pub mod rate_limits;
pub mod reach;
pub mod refresh;
pub mod revocations;
pub mod scopes;
pub mod secrets;
pub mod state;
pub mod throttle;
pub mod tokens;
pub mod write_quota;
