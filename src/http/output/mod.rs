//! What handlers answer with.

pub mod cached;
pub mod created;
pub mod json;
pub mod page;
