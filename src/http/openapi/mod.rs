//! The OpenAPI document. The operations come from the handlers; this folder has everything else.

pub mod base;
pub mod operations;
pub mod patch_schema;
pub mod responses;
