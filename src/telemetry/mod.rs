//! The log, the metrics, and what identifies a request in both.

mod json_lines;
pub mod log;
pub mod metrics;
pub mod request_id;
pub mod route;
