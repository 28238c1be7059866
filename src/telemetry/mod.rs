//! The log, the metrics, and what they tell about a request: its id, its route and its trace.

mod json_lines;
pub mod log;
pub mod metrics;
pub mod request_id;
pub mod route;
pub mod trace_context;
