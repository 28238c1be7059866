//! Security: who may do what, what stays hidden, how callers prove who they are, and hostile input.

mod authorization;
mod clock_skew;
mod hidden_fields;
mod hidden_rows;
mod hostile;
mod key_rotation;
mod open_operations;
mod permission_walk;
mod rate_limits;
mod secrets;
mod sessions;
mod sign_in;
mod sign_in_capacity;
mod tokens;
mod write_quota;
