//! The middleware of every request. `server.rs` has its order.
//!
//! A handler that panics or takes too long leaves no response, because its request is lost with it: [`containment`] returns
//! an error. Each layer around it adds its part to the response of that error, and actix sends the response.

pub mod bytes_in_flight;
pub mod compression;
pub mod containment;
pub mod cors;
pub mod limits;
pub mod problems;
pub mod request_log;
pub mod response_headers;
mod written_bytes;
