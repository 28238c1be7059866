//! What every test stands on.

pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod document;
pub(crate) mod given;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod soak;
pub(crate) mod writers;

pub(crate) use server::Server;
