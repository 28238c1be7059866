//! The merger of a municipality into another.
//!
//! What is still in use moves to the successor in one transaction: accounts, clients, calendar links, tutors, and
//! events that have not been held. What is history keeps the old code. Triggers of the tables and [`super::refused`]
//! refuse writes that name a municipality that has ended.

pub mod columns;
pub mod model;
mod steps;
pub(super) mod store;
