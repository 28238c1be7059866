//! What stands around every request.

pub mod headers;
pub mod problems;
pub mod request_log;
