//! Writing responses.

pub mod cached;
pub mod created;
pub mod json;
pub mod page;
