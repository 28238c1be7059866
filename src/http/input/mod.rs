//! Reading requests.

pub mod accept;
pub mod authentication;
pub mod body;
pub mod caller;
pub mod client_address;
pub mod cursor;
pub mod if_match;
pub mod json;
mod json_pointers;
pub mod json_text;
pub mod list;
pub mod merge_patch;
pub mod parameters;
pub mod query;
pub mod read_later;
pub mod replacement;
mod rule_messages;
mod serde_messages;
