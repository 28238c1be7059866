//! What every test stands on.

pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod document;
pub(crate) mod given;
pub(crate) mod rows;
pub(crate) mod server;

pub(crate) use server::Server;
