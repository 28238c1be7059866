//! The tests of the API: over HTTP, against the real server and a real PostgreSQL, with a fresh database for each test.
//!
//! Tests marked "computed" follow from the OpenAPI document and from `src/registry.rs`: they cover a new operation or
//! collection without an edit, or fail and name what is missing. Their few exceptions are in `support/rows.rs`.
//!
//! # Index
//!
//! | file or folder | what it proves |
//! |---|---|
//! | **contract/** | **What every caller can rely on** |
//! | [`document.rs`](contract::document) | The committed document and `src/schema.rs` equal the code and the database; every constraint has a problem of its own (computed) |
//! | [`registry.rs`](contract::registry) | The registry knows every table, every path, every column with personal data and every column with municipality codes (computed) |
//! | [`structure.rs`](contract::structure) | No file of the library imports itself, and no layer imports upwards |
//! | [`bounds/`](contract::bounds) | Every bound in the document is the bound of the code (computed) |
//! | [`every_path.rs`](contract::every_path) | Methods, headers, compression and malformed bodies |
//! | [`cors.rs`](contract::cors) | What the pages of other origins may do, and what a refusal tells |
//! | [`new_lines.rs`](contract::new_lines) | Every JSON answer ends with a new line (computed) |
//! | [`negotiation.rs`](contract::negotiation) | Media types, encodings and byte order marks: read leniently, refused with what the service takes (computed) |
//! | [`old_clients.rs`](contract::old_clients) | Old Java, HTTP/1.0 and a proxy that compresses |
//! | [`entity_tags.rs`](contract::entity_tags) | `If-Match` with entity tags, versions and tags that never match (computed) |
//! | [`same_answer.rs`](contract::same_answer) | A broken rule has one answer in `POST`, `PUT` and `PATCH` (computed) |
//! | [`examples.rs`](contract::examples) | Each failure that the document shows is the answer to a request |
//! | [`every_resource.rs`](contract::every_resource) | The address, the entity tag and the conditions of a row, from its creation to its deletion (computed) |
//! | [`references.rs`](contract::references) | The answer to a deletion that is refused names everything that refers, as far as its caller sees it (computed) |
//! | [`lists.rs`](contract::lists) | Every filter leaves the rows with its value; every order has each row once (computed) |
//! | [`idempotency.rs`](contract::idempotency) | A request repeated with the same `Idempotency-Key` is carried out once |
//! | [`any_input/`](contract::any_input) | Property tests: cursors, localised texts, merge patches |
//! | [`value_rules.rs`](contract::value_rules) | The rules of single values in Rust and in SQL agree |
//! | [`moved_clock.rs`](contract::moved_clock) | Rules about time follow the clock of the server, which a test can move |
//! | [`generated_data.rs`](contract::generated_data) | The service could have written every row of the generated data |
//! | [`command_line.rs`](contract::command_line) | The subcommands for accounts and clients |
//! | [`starting.rs`](contract::starting) | What a start tells: settings, ports, a database out of reach; colours and the banner |
//! | [`env_file.rs`](contract::env_file) | Which file `.env` is read, and that no failure quotes it |
//! | [`browser/`](contract::browser) | The documentation page and CORS, in a real browser |
//! | **security/** | **No caller sees or does more than it may** |
//! | [`authorization.rs`](security::authorization) | Every operation refuses callers without a token or without its scope (computed) |
//! | [`permission_walk.rs`](security::permission_walk) | Every operation, as each kind of caller, on a row of its own municipality, of another one, and on a missing row (computed) |
//! | [`open_operations.rs`](security::open_operations) | Callers without a token never use the connections for writes (computed) |
//! | [`hidden_fields.rs`](security::hidden_fields) | No answer contains personal data that its caller may not see (computed) |
//! | [`hidden_rows.rs`](security::hidden_rows) | A hidden row answers like a row that does not exist (computed) |
//! | [`hostile/`](security::hostile) | Hostile values in every parameter, header and field get a documented 4xx, never a 5xx; the work for a request grows no faster than its size (computed) |
//! | [`secrets/`](security::secrets) | Secrets and personal data are neither in the log nor, once deleted, in the database |
//! | [`tokens/`](security::tokens) | Signing keys and access tokens: form, claims, times, signatures, key files |
//! | [`key_rotation.rs`](security::key_rotation) | No request fails while the signing key is rotated |
//! | [`rate_limits.rs`](security::rate_limits) | Too many requests get 429; forged tokens count by address |
//! | [`write_quota.rs`](security::write_quota) | No caller writes more than its quota in a day, on all instances together |
//! | [`sessions.rs`](security::sessions) | A refresh token works once; using it again ends the session |
//! | [`sign_in.rs`](security::sign_in) | Passwords, client credentials, throttling |
//! | [`sign_in_capacity.rs`](security::sign_in_capacity) | The capacity for signing in is shared fairly; known addresses are never shut out |
//! | [`clock_skew.rs`](security::clock_skew) | Withdrawn access ends within two seconds although clocks differ by 30 seconds |
//! | **resilience/** | **The service stays correct and fast under load and faults** |
//! | [`faults/`](resilience::faults) | PostgreSQL, the network, callers or the service itself fail |
//! | [`races.rs`](resilience::races) | One of 50 concurrent requests for the same thing succeeds |
//! | [`instances.rs`](resilience::instances) | Two instances on one database behave like one service |
//! | [`private_postgres/`](resilience::private_postgres) | The private PostgreSQL starts, stops and recovers |
//! | [`postgresql/`](resilience::postgresql) | PostgreSQL as operators have it: TLS, several hosts, poolers, roles |
//! | [`start_waits.rs`](resilience::start_waits) | A start tells what it waits for, and goes on by itself |
//! | [`housekeeping.rs`](resilience::housekeeping) | Expired rows are deleted |
//! | [`lost_writes/`](resilience::lost_writes) | An older state of the database is put back, or a failover loses writes: followers and callers are told |
//! | [`login_cost.rs`](resilience::login_cost) | Every sign-in is equally slow and slows down no other request |
//! | [`response_cache.rs`](resilience::response_cache) | A cached answer equals a fresh one |
//! | [`coalesced_lookups.rs`](resilience::coalesced_lookups) | Concurrent lookups share a statement, and each caller gets its own current answer |
//! | [`prepared_statements.rs`](resilience::prepared_statements) | Once warm, reads and creates prepare no further statement |
//! | [`trace_context.rs`](resilience::trace_context) | The trace id of a caller is in the log line of its request |
//! | [`transactions.rs`](resilience::transactions) | A write is committed completely or not at all, and its caller learns which |
//! | [`query_plans/`](resilience::query_plans) | No statement touches many more rows than it answers with (computed) |
//! | **resources/** | **Each resource: its fields, rules, lists and states** |
//! | [`municipalities.rs`](resources::municipalities), [`themes.rs`](resources::themes), [`tutors/`](resources::tutors) | The directory |
//! | [`mergers/`](resources::mergers) | A municipality merges into another: what moves, what stays, which callers gain what |
//! | [`events/`](resources::events), [`calendars/`](resources::calendars) | Meetings, and calendars and secret links for calendar programs |
//! | [`feedback/`](resources::feedback), [`summaries/`](resources::summaries) | Feedback, and what is published of it |
//! | [`accounts/`](resources::accounts), [`clients.rs`](resources::clients) | People and partner systems |
//! | [`changes/`](resources::changes) | The ledger of changes; a copy that follows it stays equal (computed) |
//! | [`search.rs`](resources::search) | Inflected forms of a word find each other |
//! | [`service.rs`](resources::service), [`metrics.rs`](resources::metrics) | Health, keys, document, data sources, metrics |
//! | [**deployment/**](deployment) | The systemd unit, the manifests for Kubernetes, the container image and the notices are right |
//! | [**guides/**](guides) | Every command in the README and the guides works when pasted |
//! | [**support/**](support) | The server under test, its callers, rows and fixtures, databases, the document |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

mod contract;
mod deployment;
mod guides;
mod resilience;
mod resources;
mod security;
