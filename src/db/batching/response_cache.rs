//! Caches rendered responses, and checks each one against the change ledger before it is used: a response is current as
//! long as nothing was written to its collection. A stale response is never sent.
//!
//! The cache is cleared every ten minutes, so that a deleted row does not stay in memory for longer. This also limits how
//! long a response can be stale if somebody bypasses the ledger, for example by a restore into a database in use.

use std::{sync::Arc, time::Duration};

use actix_web::web::{Bytes, Data};
use chrono::{DateTime, Utc};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use tokio::time::Instant;

use super::ledger_position::LedgerPosition;
use crate::{
    clock,
    db::{database::Db, time_limit::within_limit_since},
    problem::{Error, Result},
};

/// The size of all cached responses, in bytes. Rarely requested responses are evicted first.
const CAPACITY: u64 = 18 * 1024 * 1024;
/// The size of a typical response, in bytes.
const TYPICAL_SIZE: u64 = 2 * 1024;
/// How long a response may stay in the cache.
const MAX_AGE: Duration = Duration::from_mins(10);

/// The key of a response: the request and everything that determines what its caller may see, so that responses are never
/// shared across callers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The caller and its rights.
    pub caller: String,
    /// The request: its path and query, or another text that identifies the response.
    pub request: String,
}

/// A rendered response.
#[derive(Clone, Debug)]
pub struct CachedResponse {
    /// The body.
    pub body: Bytes,
    /// The entity tag, if the response has one.
    pub etag: Option<String>,
    /// The cursor of the next page, if the response is a page and not the last one.
    pub next: Option<Box<str>>,
    /// The time from which the response would differ although nothing was written.
    pub valid_until: Option<DateTime<Utc>>,
}

struct Entry {
    response: CachedResponse,
    /// The position of the ledger when the response was rendered, or earlier.
    position: LedgerPosition,
}

/// The cache of rendered responses, shared by all workers.
pub struct ResponseCache(Cache<CacheKey, Arc<Entry>, Size>);

#[derive(Clone, Debug)]
struct Size;

impl Weighter<CacheKey, Arc<Entry>> for Size {
    fn weight(&self, key: &CacheKey, entry: &Arc<Entry>) -> u64 {
        let fixed = size_of::<CacheKey>() + size_of::<Entry>();
        let CachedResponse { etag, next, .. } = &entry.response;
        let headers = etag.as_ref().map_or(0, String::len) + next.as_ref().map_or(0, |next| next.len());
        let texts = key.caller.len() + key.request.len() + headers;
        u64::try_from(fixed + texts + entry.response.body.len()).unwrap_or(u64::MAX)
    }
}

impl ResponseCache {
    /// Creates an empty cache, and starts the task that clears it from time to time.
    pub fn start() -> Result<Data<Self>> {
        let items = usize::try_from(CAPACITY / TYPICAL_SIZE).unwrap_or(usize::MAX);
        // With several shards, a long calendar would not fit into its shard.
        let options = OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(CAPACITY).shards(1).build();
        let options = options.map_err(|error| Error::Internal(error.to_string().into()))?;
        let entries = Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default());
        let cache = Data::new(Self(entries));
        let cleared = cache.clone();
        actix_web::rt::spawn(async move {
            loop {
                tokio::time::sleep(MAX_AGE).await;
                cleared.0.clear();
            }
        });
        Ok(cache)
    }

    /// Returns the cached response to a request about this collection, if there is a current one.
    pub async fn get(&self, db: &Db, collection: &'static str, key: &CacheKey) -> Result<Option<CachedResponse>> {
        // Without a cached response, there is nothing to check in the database.
        if self.0.get(key).is_none() {
            return Ok(None);
        }
        let position = db.ledger_position(collection).await?;
        Ok(position.and_then(|position| self.current(key, position)))
    }

    /// Returns the response to a request about this collection: the cached one while it is current, otherwise the one that
    /// `render` returns.
    ///
    /// # Errors
    /// The error that `render` returns, and [`Error::Unavailable`] when the database does not answer in time.
    pub async fn answer(
        &self,
        db: &Db,
        collection: &'static str,
        key: CacheKey,
        render: impl AsyncFnOnce() -> Result<CachedResponse>,
    ) -> Result<CachedResponse> {
        let start = Instant::now();
        // The position is read before the response is rendered, so that a change that is written in between makes the entry
        // stale.
        let position = within_limit_since(start, db.ledger_position(collection)).await?;
        if let Some(response) = position.and_then(|position| self.current(&key, position)) {
            return Ok(response);
        }
        // Boxed, so that a request that is answered from the cache does not carry this large future along.
        let response = within_limit_since(start, Box::pin(render())).await?;
        if let Some(position) = position {
            self.0.insert(key, Arc::new(Entry { response: response.clone(), position }));
        }
        Ok(response)
    }

    fn current(&self, key: &CacheKey, position: LedgerPosition) -> Option<CachedResponse> {
        let entry = self.0.get(key)?;
        let is_expired = entry.response.valid_until.is_some_and(|until| until <= clock::now());
        (!is_expired && position.is_unchanged_since(entry.position)).then(|| entry.response.clone())
    }
}
