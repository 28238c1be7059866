//! Failures: what can go wrong with a request, and the problem details (RFC 9457) in the response.

pub mod body;
pub mod codes;
pub mod constraints;
mod database_messages;
mod details;
pub mod error;
pub mod rate_limit;
pub mod violation;

pub use self::{
    codes::CODES,
    database_messages::is_lost_statement,
    error::{Error, Result},
    violation::Violation,
};
