//! The API, as its callers have it: over HTTP, against the real server and a real PostgreSQL, a fresh
//! database for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

mod accounts;
mod authorization;
mod bounds;
mod browser;
mod calendars;
mod canaries;
mod changes;
mod clients;
mod clocks;
mod command_line;
mod contract;
mod events;
mod faults;
mod feedback;
mod generated;
mod guides;
mod hostile;
mod housekeeping;
mod idempotency;
mod including;
mod instances;
mod interface;
mod kept;
mod login_cost;
mod lookups;
mod metrics;
mod municipalities;
mod plans;
mod private_postgres;
mod properties;
mod races;
mod reach;
mod rotation;
mod search;
mod secrets;
mod service;
mod sessions;
mod sign_in;
mod steady;
mod summaries;
mod themes;
mod tokens;
mod tutors;
mod unseen;
