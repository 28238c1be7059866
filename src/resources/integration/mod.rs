//! Integration: following the network's data from another system.

pub mod changes;
