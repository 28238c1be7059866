//! Failures: what can go wrong with a request, and the problem details (RFC 9457) in the response.

pub mod body;
pub mod codes;
pub mod constraints;
mod details;
pub mod error;
pub mod postgres_errors;
pub mod rate_limit;
pub mod reference;
pub mod violation;

pub use self::{
    codes::CODES,
    error::{Error, Result},
    postgres_errors::is_lost_statement,
    violation::Violation,
};
