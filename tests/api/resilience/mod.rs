//! Resilience: faults, concurrency, several instances, and what each request costs PostgreSQL.

mod coalesced_lookups;
mod faults;
mod housekeeping;
mod instances;
mod login_cost;
mod lost_writes;
mod postgresql;
mod prepared_statements;
mod private_postgres;
mod query_plans;
mod races;
mod response_cache;
mod start_waits;
mod transactions;
