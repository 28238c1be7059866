//! Faults around the service: of PostgreSQL, of the connection to it, of callers, and of the service itself.

mod callers;
mod connections;
mod database_down;
mod database_link;
mod killed;
mod stopping;
