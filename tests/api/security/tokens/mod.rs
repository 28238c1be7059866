//! Signing keys and access tokens, through their public interface.

mod claims;
mod form;
mod header;
mod issue;
mod key_files;
mod keys;
mod parameters;
mod reload;
mod requests;
mod signature;
mod support;
mod times;
