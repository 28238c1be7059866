//! The log, the metrics, and the request id and route that both use.

mod json_lines;
pub mod log;
pub mod metrics;
pub mod request_id;
pub mod route;
