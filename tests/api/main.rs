//! The tests of the API: over HTTP, against the real server and a real PostgreSQL, with a fresh database for each test.
//!
//! # Index
//!
//! | file or folder | what it proves |
//! |---|---|
//! | **contract/** | **What every caller can rely on** |
//! | [`contract/document.rs`](contract::document) | The committed OpenAPI document and `src/schema.rs` equal the code and the database; every constraint has a problem of its own |
//! | [`contract/bounds/`](contract::bounds) | Every bound in the document is the bound of the code: the last good value and the first bad one are sent |
//! | [`contract/every_path.rs`](contract::every_path) | Methods, headers, compression, CORS and malformed bodies, on every path |
//! | [`contract/idempotency.rs`](contract::idempotency) | A request repeated with the same `Idempotency-Key` is carried out once |
//! | [`contract/any_input/`](contract::any_input) | Property tests: cursors, localised texts, merge patches |
//! | [`contract/value_rules.rs`](contract::value_rules) | The rules of single values in Rust and in SQL agree |
//! | [`contract/moved_clock.rs`](contract::moved_clock) | Rules about time follow a clock that tests can move |
//! | [`contract/generated_data.rs`](contract::generated_data) | The service could have written every row of the generated data set |
//! | [`contract/command_line.rs`](contract::command_line) | The subcommands for accounts and clients |
//! | [`contract/browser/`](contract::browser) | The documentation page and CORS, in a real browser |
//! | **security/** | **Nobody sees or does more than they may** |
//! | [`security/authorization.rs`](security::authorization) | Every operation refuses callers without its scope, computed from the document |
//! | [`security/permission_walk.rs`](security::permission_walk) | Every operation, as each kind of caller, on a row of its own municipality, of another one, and of none |
//! | [`security/hidden_fields.rs`](security::hidden_fields) | A hidden field appears in no answer to a caller who may not see it |
//! | [`security/hidden_rows.rs`](security::hidden_rows) | A hidden row answers like a row that does not exist |
//! | [`security/secrets/`](security::secrets) | Secrets and personal data appear neither in the log nor, after erasure, in the database |
//! | [`security/tokens/`](security::tokens) | Signing keys and access tokens: form, claims, times, signatures, key files |
//! | [`security/key_rotation.rs`](security::key_rotation) | Rotating the signing key fails no request |
//! | [`security/sessions.rs`](security::sessions) | A refresh token works once; using it again ends the session |
//! | [`security/sign_in.rs`](security::sign_in) | Passwords, client credentials, throttling |
//! | [`security/clock_skew.rs`](security::clock_skew) | Access that was withdrawn ends within two seconds although clocks differ by 30 seconds |
//! | [`security/hostile/`](security::hostile) | Hostile values in every parameter and field get a documented 4xx, never a 5xx |
//! | **resilience/** | **The service stays correct and fast under load and faults** |
//! | [`resilience/faults/`](resilience::faults) | PostgreSQL, the network, callers or the service itself fail |
//! | [`resilience/races.rs`](resilience::races) | Of 50 concurrent requests for one thing, one succeeds |
//! | [`resilience/instances.rs`](resilience::instances) | Two instances on one database behave as one service |
//! | [`resilience/private_postgres/`](resilience::private_postgres) | The private PostgreSQL starts, stops and recovers |
//! | [`resilience/housekeeping.rs`](resilience::housekeeping) | Expired rows are deleted |
//! | [`resilience/login_cost.rs`](resilience::login_cost) | Password hashing slows down logins alike, and nothing else |
//! | [`resilience/response_cache.rs`](resilience::response_cache) | A cached answer equals a fresh one |
//! | [`resilience/coalesced_lookups.rs`](resilience::coalesced_lookups) | Coalesced lookups give each caller its own current answer |
//! | [`resilience/prepared_statements.rs`](resilience::prepared_statements) | Once warm, reads and creates prepare no further statement |
//! | [`resilience/transactions.rs`](resilience::transactions) | A write is committed completely or not at all |
//! | [`resilience/query_plans.rs`](resilience::query_plans) | No statement touches many more rows than it answers with |
//! | **resources/** | **Each resource: its fields, rules, lists and states** |
//! | [`resources/`](resources) | `municipalities`, `themes`, `tutors/`, `events/`, `calendars/`, `feedback/`, `summaries/`, `accounts/`, `clients`, `changes/`, `search`, `service`, `metrics` |
//! | **readme.rs** | Every command in the guides works when pasted |
//! | **support/** | The server under test, its callers, fixtures, databases, the document |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

mod contract;
mod guides;
mod resilience;
mod resources;
mod security;
