//! What partner systems need to keep a copy of the network's data.

pub mod changes;
