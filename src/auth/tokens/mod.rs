//! Access tokens: JWTs in the profile of RFC 9068, signed with ES256. Only this service issues and verifies them.

pub mod access_tokens;
pub mod claims;
mod compact;
pub mod refused;
mod verified_tokens;
