//! Writing responses.

pub mod cached;
pub mod created;
pub mod json;
pub mod next_link;
pub mod page;
