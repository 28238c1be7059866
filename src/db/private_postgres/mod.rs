//! A private PostgreSQL server that the service starts for itself. Only PostgreSQL's programs must be installed.
//!
//! The server listens only on a Unix socket in a directory that no other user can enter. It has no TCP port, so it cannot
//! collide with another server. It stops when [`PrivatePostgres`] is dropped, and also when this process is killed: a
//! supervisor process notices that the pipe to this process has closed.
//!
//! [`PrivatePostgres::keep_running`] starts the server again whenever it ends.
//!
//! All functions block. Call them before an async runtime starts, or from `spawn_blocking`. A service manager should send
//! its stop signal to the service only (systemd: `KillMode=mixed`).
//!
//! The data directory contains `cluster` (PostgreSQL's own data), `postgres.log` (the server's log), `socket` (its socket)
//! and `lock` (which keeps a second service out).

mod data_directory;
mod error;
mod keeper;
mod launch;
mod leftovers;
mod log;
mod options;
mod programs;
mod server;

pub use self::{error::PrivatePostgresError, keeper::KeptPostgres, options::Options, server::PrivatePostgres};
