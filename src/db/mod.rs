//! PostgreSQL.
//!
//! The service reaches it in two ways. Reads share pipelined connections: a read does not wait for a free connection, and
//! no query tests the connection first. Writes take a connection from a pool and run in a transaction. A statement that may
//! wait for a lock never runs on a shared connection, because the other reads of the worker would queue behind it.

pub mod batching;
pub mod connection;
pub mod database;
pub mod epoch;
pub(crate) mod keyset;
pub mod lock_watch;
pub mod migrations;
pub mod private_postgres;
pub mod row_limit;
pub(crate) mod search;
mod shared_connection;
pub(crate) mod sql_functions;
pub mod time_limit;
pub mod transaction;

pub use self::{
    connection::{Conn, establish},
    database::Db,
    transaction::Author,
};
