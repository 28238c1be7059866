//! Answers that are kept, and validated each time that they are asked for: one is good for as long as the database says that
//! all that it shows has the version that it had. To ask for that costs a part of reading and writing it all again, and
//! nothing stale is ever answered.
//!
//! All is forgotten every ten minutes: what was deleted is not in memory for longer than that.

use std::{hash::Hash, sync::Arc, time::Duration};

use actix_web::web::Data;
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{self, DefaultLifecycle},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Resource, respond::WrittenResource};
use crate::{
    auth::reach::Reach,
    db::together_since,
    problem::{Error, Result},
};

/// How much is kept of each kind, in bytes; what is asked for seldom makes room.
const CAPACITY: u64 = 6 * 1024 * 1024;
/// After which time all is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(10);

/// What an answer shows of the database, in the answer's order: rows by id, each with the version that no other state of it
/// has.
pub type Versions = Vec<(Uuid, i64)>;

/// A part of an answer that is kept.
pub trait Keep: Clone + Send + Sync + 'static {
    /// What is asked for.
    type What: Hash + Eq + Clone + Send + Sync + 'static;

    /// About how long one is, in bytes.
    const TYPICAL: u64;

    /// How long it and what was asked for are, in bytes.
    fn size(&self, what: &Self::What) -> usize;
}

/// What is asked for, and how far the one reaches who asks: nobody gets what was written for somebody else.
pub type Asked<V> = (Reach, <V as Keep>::What);

/// Answers of one kind.
pub struct Cache<V: Keep>(sync::Cache<Asked<V>, Arc<(Versions, V)>, Size>);

#[derive(Clone, Debug)]
struct Size;

impl<V: Keep> Weighter<Asked<V>, Arc<(Versions, V)>> for Size {
    fn weight(&self, (_, what): &Asked<V>, kept: &Arc<(Versions, V)>) -> u64 {
        let (versions, value) = &**kept;
        let size = size_of::<Asked<V>>() + size_of_val(&versions[..]) + value.size(what);
        size.try_into().unwrap_or(u64::MAX)
    }
}

impl<V: Keep> Cache<V> {
    /// An empty one, which forgets all from time to time.
    ///
    /// # Errors
    /// None, as long as the capacity is a sensible one.
    pub fn start() -> Result<Data<Self>> {
        let cache = Data::new(Self::new()?);
        let forgetting = cache.clone();
        actix_web::rt::spawn(async move {
            loop {
                tokio::time::sleep(FORGOTTEN).await;
                forgetting.0.clear();
            }
        });
        Ok(cache)
    }

    fn new() -> Result<Self> {
        let items = usize::try_from(CAPACITY / V::TYPICAL).unwrap_or(usize::MAX);
        // One shard: an answer may be as long as the whole.
        let options = OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(CAPACITY).shards(1).build();
        let options = options.map_err(|error| Error::Internal(error.to_string().into()))?;
        Ok(Self(sync::Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default())))
    }

    /// What was written before, if all that it shows is as it was, which `versions` tells.
    ///
    /// # Errors
    /// What that returns.
    pub async fn still_good(
        &self,
        asked: &Asked<V>,
        versions: impl AsyncFnOnce() -> Result<Versions>,
    ) -> Result<Option<V>> {
        match self.0.get(asked) {
            Some(kept) if kept.0 == versions().await? => Ok(Some(kept.1.clone())),
            _ => Ok(None),
        }
    }

    /// What was written before, if all that it shows is as it was, which `versions` tells; else what `write` writes now,
    /// with what that shows.
    ///
    /// # Errors
    /// What the two return, and [`Error::Unavailable`] when they take too long together.
    pub async fn answer(
        &self,
        asked: Asked<V>,
        versions: impl AsyncFnOnce() -> Result<Versions>,
        write: impl AsyncFnOnce() -> Result<(Versions, V)>,
    ) -> Result<V> {
        let began = Instant::now();
        if let Some(kept) = together_since(began, self.still_good(&asked, versions)).await? {
            return Ok(kept);
        }
        // Boxed: who finds what is kept does not carry its large future along.
        let written = together_since(began, Box::pin(write())).await?;
        let value = written.1.clone();
        self.0.insert(asked, Arc::new(written));
        Ok(value)
    }
}

impl Cache<WrittenResource> {
    /// The answer of one resource: as it was written before while it has that version, else as it is found now.
    ///
    /// # Errors
    /// What the two return, and [`Error::Unavailable`] when they take too long together.
    pub async fn resource<T: Resource>(
        &self,
        reach: &Reach,
        id: Uuid,
        version: impl AsyncFnOnce() -> Result<i64>,
        find: impl AsyncFnOnce() -> Result<T>,
    ) -> Result<WrittenResource> {
        let asked = (reach.clone(), (T::COLLECTION, id));
        let versions = async || Ok(vec![(id, version().await?)]);
        let write = async || {
            let found = find().await?;
            Ok((vec![(id, found.version())], WrittenResource::of(&found)?))
        };
        self.answer(asked, versions, write).await
    }
}
