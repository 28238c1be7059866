//! Places of which one caller gets some only, so that there are some for others.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many places each has taken; who has none is not in it.
#[derive(Debug)]
pub struct Places<K> {
    most: usize,
    taken: Mutex<HashMap<K, usize>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place<'a, K: Hash + Eq> {
    places: &'a Places<K>,
    of: K,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// So many for each at most.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    /// A place for this one; none when it has as many as it may.
    pub fn take(&self, of: &K) -> Option<Place<'_, K>> {
        let mut taken = self.taken();
        let count = taken.entry(of.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { places: self, of: of.clone() })
    }
}

impl<K> Places<K> {
    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        let count = taken.get_mut(&self.of).map(|count| {
            *count -= 1;
            *count
        });
        if count == Some(0) {
            taken.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leaves_places_for_others_and_gives_its_own_back() {
        let places = Places::new(2);
        let own = [places.take(&"one"), places.take(&"one")];
        assert!(own.iter().all(Option::is_some) && places.take(&"one").is_none());
        let other = places.take(&"other");
        assert!(other.is_some());
        drop(own);
        assert!(places.take(&"one").is_some());
        drop(other);
        assert!(places.taken().is_empty());
    }
}
