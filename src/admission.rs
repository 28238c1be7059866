//! Places, of which one caller gets some only, so that there are some for others.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Places, and how many each caller has taken; who has none is not in it.
#[derive(Clone, Debug)]
pub struct Places<K> {
    all: usize,
    of_one: usize,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place<K: Hash + Eq> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    of: K,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// So many for all, and so many of them for one at most.
    pub fn new(all: usize, of_one: usize) -> Self {
        Self { all, of_one, taken: Arc::default() }
    }

    /// A place for this one; none when all are taken, or it has as many as it may.
    pub fn take(&self, of: &K) -> Option<Place<K>> {
        let mut taken = lock(&self.taken);
        let own = taken.get(of).copied().unwrap_or_default();
        if own >= self.of_one || taken.values().sum::<usize>() >= self.all {
            return None;
        }
        taken.insert(of.clone(), own + 1);
        Some(Place { taken: Arc::clone(&self.taken), of: of.clone() })
    }

    /// Whether nobody has one.
    pub fn are_free(&self) -> bool {
        lock(&self.taken).is_empty()
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.of)),
        }
    }
}

fn lock<K>(taken: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leaves_places_for_others_and_gives_its_own_back() {
        let places = Places::new(3, 2);
        let own = [places.take(&"one"), places.take(&"one")];
        assert!(own.iter().all(Option::is_some) && places.take(&"one").is_none());
        let other = places.take(&"other");
        assert!(other.is_some() && places.take(&"third").is_none());
        drop(own);
        assert!(places.take(&"one").is_some() && !places.are_free());
        drop(other);
        assert!(places.are_free());
    }
}
