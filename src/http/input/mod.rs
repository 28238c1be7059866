//! Reading requests.

pub mod accept;
pub mod caller;
pub mod client_address;
pub mod cursor;
mod duplicate_keys;
pub mod if_match;
pub mod json;
pub mod list;
pub mod merge_patch;
pub mod parameters;
pub mod query;
pub mod read_later;
pub mod replacement;
mod serde_messages;
