//! A private PostgreSQL server that the service starts for itself, so that it
//! runs with nothing but PostgreSQL's programs installed.
//!
//! The server is reached only through a Unix socket in a directory that no
//! other user can enter. It has no TCP port, and so it cannot collide with
//! another server. It stops when [`LocalPostgres`] is dropped and also when
//! this process is killed, because its supervisor sees the pipe between them
//! close.
//!
//! Everything here blocks: call it before an async runtime starts, or from
//! `spawn_blocking`. A service manager should signal only the service itself
//! when it stops it (systemd: `KillMode=mixed`).
//!
//! What lies in the data directory: `cluster` is PostgreSQL's own data,
//! `postgres.log` the server's log, `socket` its socket, and `lock` keeps a
//! second service out.

mod data_directory;
mod error;
mod launch;
mod log;
mod options;
mod programs;
mod server;

pub use self::{error::LocalError, options::Options, server::LocalPostgres};
