//! What goes wrong around the service: its database, the link to it, its callers, its own end.

mod away;
mod callers;
mod kills;
mod link;
mod stopping;
