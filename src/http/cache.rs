//! Answers that are kept, and validated each time that they are asked for: one is good for as long as the database says that
//! nothing was written in the collection that it shows, or else that all that it shows has the version that it had. To ask for
//! the one costs next to nothing, for the other a part of reading and writing it all again, and nothing stale is ever
//! answered.
//!
//! All is forgotten every ten minutes: what was deleted is not in memory for longer than that, and what was written around
//! the ledger, by a restore into a database in use, is not unseen for longer.

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{self, DefaultLifecycle},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Resource, respond::WrittenResource};
use crate::{
    auth::reach::Reach,
    db::{ledger::Ledger, together_since},
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

    /// When it becomes another one though nothing is written.
    fn until(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// What is asked for, and how far the one reaches who asks: nobody gets what was written for somebody else.
pub type Asked<V> = (Reach, <V as Keep>::What);

/// Answers of one kind.
pub struct Cache<V: Keep>(sync::Cache<Asked<V>, Arc<Kept<V>>, Size>);

/// An answer that is kept.
struct Kept<V> {
    value: V,
    versions: Versions,
    /// How far the ledger had come when the versions were last seen to be these.
    seen_at: Mutex<Option<Ledger>>,
}

impl<V: Keep> Kept<V> {
    fn is_over(&self) -> bool {
        self.value.until().is_some_and(|until| until <= Utc::now())
    }

    /// Whether it is good by the ledger alone. That may say no where the versions say yes.
    fn is_good_at(&self, ledger: Ledger) -> bool {
        self.seen_at().is_some_and(|seen_at| ledger.is_as_at(seen_at))
    }

    fn seen_at(&self) -> MutexGuard<'_, Option<Ledger>> {
        self.seen_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Size;

impl<V: Keep> Weighter<Asked<V>, Arc<Kept<V>>> for Size {
    fn weight(&self, (_, what): &Asked<V>, kept: &Arc<Kept<V>>) -> u64 {
        let size = size_of::<Asked<V>>() + size_of_val(&kept.versions[..]) + kept.value.size(what);
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

    /// What was written before, if all that it shows is as it was: by the `ledger`, where it is of one collection, else by the
    /// `versions`.
    ///
    /// # Errors
    /// What the two return.
    pub async fn still_good(
        &self,
        asked: &Asked<V>,
        ledger: impl AsyncFnOnce() -> Result<Option<Ledger>>,
        versions: impl AsyncFnOnce() -> Result<Versions>,
    ) -> Result<Option<V>> {
        let Some(kept) = self.0.get(asked).filter(|kept| !kept.is_over()) else { return Ok(None) };
        // Asked for before the versions are: what is written between the two is news the next time.
        let ledger = ledger().await?;
        if ledger.is_none_or(|ledger| !kept.is_good_at(ledger)) {
            if kept.versions != versions().await? {
                return Ok(None);
            }
            *kept.seen_at() = ledger;
        }
        Ok(Some(kept.value.clone()))
    }

    /// What was written before, if all that it shows is as it was, which `ledger` or `versions` tell; else what `write` writes
    /// now, with what that shows.
    ///
    /// # Errors
    /// What the three return, and [`Error::Unavailable`] when they take too long together.
    pub async fn answer(
        &self,
        asked: Asked<V>,
        ledger: impl AsyncFnOnce() -> Result<Option<Ledger>>,
        versions: impl AsyncFnOnce() -> Result<Versions>,
        write: impl AsyncFnOnce() -> Result<(Versions, V)>,
    ) -> Result<V> {
        let began = Instant::now();
        if let Some(kept) = together_since(began, self.still_good(&asked, ledger, versions)).await? {
            return Ok(kept);
        }
        // Boxed: who finds what is kept does not carry its large future along.
        let (versions, value) = together_since(began, Box::pin(write())).await?;
        self.0.insert(asked, Arc::new(Kept { value: value.clone(), versions, seen_at: Mutex::default() }));
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
        // Its version costs no more than the ledger.
        let ledger = async || Ok(None);
        let versions = async || Ok(vec![(id, version().await?)]);
        let write = async || {
            let found = find().await?;
            Ok((vec![(id, found.version())], WrittenResource::of(&found)?))
        };
        self.answer(asked, ledger, versions, write).await
    }
}
