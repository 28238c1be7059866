//! The tools of the tests: the server, its callers, fixtures, databases and the document.

pub(crate) mod callers;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod clusters;
pub(crate) mod copies;
pub(crate) mod databases;
pub(crate) mod document;
pub(crate) mod fixtures;
pub(crate) mod killable_postgres;
pub(crate) mod nginx;
pub(crate) mod personal_data;
pub(crate) mod pooler;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod skipped;
pub(crate) mod soak;
pub(crate) mod sql;
pub(crate) mod tcp_postgres;
pub(crate) mod writers;

pub(crate) use server::Server;
