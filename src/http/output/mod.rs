//! The answers of handlers.

pub mod cached;
pub mod created;
pub mod json;
pub mod page;
