//! The middleware of every request. `server.rs` has its order.
//!
//! A handler that panics or takes too long leaves no response, because its request is gone with it: [`containment`] returns an
//! error. Each layer around it adds its part to the answer of that error, and actix sends the answer.

pub mod compression;
pub mod containment;
pub mod problems;
pub mod request_log;
pub mod response_headers;
