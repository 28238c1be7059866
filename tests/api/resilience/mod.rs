//! Resilience: faults, concurrency, several instances, and what each request costs PostgreSQL.

mod coalesced_lookups;
mod faults;
mod hostile_callers;
mod housekeeping;
mod instances;
mod large_answers;
mod login_cost;
mod lost_writes;
mod postgresql;
mod prepared_statements;
mod private_postgres;
mod query_plans;
mod races;
mod response_cache;
mod start_waits;
mod trace_context;
mod transactions;
