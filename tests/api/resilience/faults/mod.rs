//! Faults around the service: of PostgreSQL, of the connection to it, of callers, and of the service itself.

mod away;
mod callers;
mod kills;
mod link;
mod stopping;
