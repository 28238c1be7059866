//! The keys that sign access tokens.

pub mod key_error;
mod key_files;
pub mod key_ring;
