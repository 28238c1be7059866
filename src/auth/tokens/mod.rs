//! Access tokens.

pub mod access_tokens;
pub mod claims;
mod compact;
pub mod refused;
mod verified;
