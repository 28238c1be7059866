//! Batching and caching for many requests that arrive at the same time.
//!
//! ```text
//!  request ──► response cache ──hit──► response        one coalesced query: has the collection changed?
//!                   │ miss
//!                   ▼
//!            coalesced lookup ──► SELECT … WHERE id = ANY($1)     one statement for all requests that wait
//!
//!  POST ───► coalesced insert ──► INSERT … SELECT FROM unnest(…)  one statement and one commit for all that wait
//! ```
//!
//! This helps when many clients request the same few collections at the same time. While one statement is in flight,
//! requests of the same kind wait and are sent together as the next statement. A request that is alone is sent at once, so
//! an idle service adds no delay. `benches/README.md` shows what each part saves.
//!
//! A resource uses only three methods:
//!
//! * [`ResponseCache::answer`](response_cache::ResponseCache::answer) returns a cached response, or renders and caches it;
//! * [`Db::look_up`](super::database::Db::look_up) reads one row by its key, together with others;
//! * [`Db::insert`](super::database::Db::insert) inserts one row, together with others.

pub(super) mod coalesce;
pub mod inserts;
pub mod ledger_position;
pub mod lookups;
pub mod response_cache;
