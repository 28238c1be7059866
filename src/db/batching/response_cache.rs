//! Caches rendered answers, and checks each one against the change ledger before it is used: an answer is good as long as
//! nothing was written to its collection. A stale answer is never sent.
//!
//! The cache forgets everything every ten minutes, so that a deleted row does not stay in memory for longer. That also
//! bounds the error when somebody writes around the ledger, for example by a restore into a database in use.

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

/// The size of all cached answers, in bytes. Answers that are asked for rarely make room for others.
const CAPACITY: u64 = 18 * 1024 * 1024;
/// The size of a typical answer, in bytes.
const TYPICAL_SIZE: u64 = 2 * 1024;
/// How long an answer may stay in the cache.
const MOST_AGE: Duration = Duration::from_mins(10);

/// The key of an answer: the request and everything that decides what its caller may see, so that answers are never shared
/// across callers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The caller and its rights.
    pub caller: String,
    /// The request: its path and query, or whatever names the answer.
    pub request: String,
}

/// A rendered answer.
#[derive(Clone, Debug)]
pub struct CachedAnswer {
    /// The body.
    pub body: Bytes,
    /// The entity tag, when the answer has one.
    pub etag: Option<String>,
    /// The time from which the answer is different although nothing was written.
    pub valid_until: Option<DateTime<Utc>>,
}

struct Entry {
    answer: CachedAnswer,
    /// The position of the ledger when the answer was rendered, or earlier.
    position: LedgerPosition,
}

/// The cache of rendered answers, shared by all workers.
pub struct ResponseCache(Cache<CacheKey, Arc<Entry>, Size>);

#[derive(Clone, Debug)]
struct Size;

impl Weighter<CacheKey, Arc<Entry>> for Size {
    fn weight(&self, key: &CacheKey, entry: &Arc<Entry>) -> u64 {
        let fixed = size_of::<CacheKey>() + size_of::<Entry>();
        let texts = key.caller.len() + key.request.len() + entry.answer.etag.as_ref().map_or(0, String::len);
        u64::try_from(fixed + texts + entry.answer.body.len()).unwrap_or(u64::MAX)
    }
}

impl ResponseCache {
    /// Makes an empty cache, and starts the task that clears it from time to time.
    pub fn start() -> Result<Data<Self>> {
        let items = usize::try_from(CAPACITY / TYPICAL_SIZE).unwrap_or(usize::MAX);
        // One shard: with several, a long calendar would not fit into its shard.
        let options = OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(CAPACITY).shards(1).build();
        let options = options.map_err(|error| Error::Internal(error.to_string().into()))?;
        let entries = Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default());
        let cache = Data::new(Self(entries));
        let cleared = cache.clone();
        actix_web::rt::spawn(async move {
            loop {
                tokio::time::sleep(MOST_AGE).await;
                cleared.0.clear();
            }
        });
        Ok(cache)
    }

    /// Returns the cached answer to a request about this collection, if there is a good one.
    pub async fn get(&self, db: &Db, collection: &'static str, key: &CacheKey) -> Result<Option<CachedAnswer>> {
        // An answer that is not in the cache needs no question to the database.
        if self.0.get(key).is_none() {
            return Ok(None);
        }
        let position = db.ledger_position(collection).await?;
        Ok(position.and_then(|position| self.good(key, position)))
    }

    /// Returns the answer to a request about this collection: the cached one while it is good, else what `render` returns.
    ///
    /// # Errors
    /// What `render` returns, and [`Error::Unavailable`] when the database does not answer in time.
    pub async fn answer(
        &self,
        db: &Db,
        collection: &'static str,
        key: CacheKey,
        render: impl AsyncFnOnce() -> Result<CachedAnswer>,
    ) -> Result<CachedAnswer> {
        let start = Instant::now();
        // Asked before the answer is rendered: a change that is written in between is noticed the next time.
        let position = within_limit_since(start, db.ledger_position(collection)).await?;
        if let Some(answer) = position.and_then(|position| self.good(&key, position)) {
            return Ok(answer);
        }
        // Boxed, so that a request that is answered from the cache does not carry this large future along.
        let answer = within_limit_since(start, Box::pin(render())).await?;
        if let Some(position) = position {
            self.0.insert(key, Arc::new(Entry { answer: answer.clone(), position }));
        }
        Ok(answer)
    }

    fn good(&self, key: &CacheKey, position: LedgerPosition) -> Option<CachedAnswer> {
        let entry = self.0.get(key)?;
        let is_over = entry.answer.valid_until.is_some_and(|until| until <= clock::now());
        (!is_over && position.is_unchanged_since(entry.position)).then(|| entry.answer.clone())
    }
}
