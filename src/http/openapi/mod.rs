//! The OpenAPI document, from the handlers.

pub mod base;
pub mod operations;
pub mod patch_schema;
pub mod responses;
