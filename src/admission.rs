//! Admission control: limits on concurrent work. Besides the limit for all callers together there is one for each caller,
//! so that one caller cannot use up the capacity for all of them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Admits work up to a limit for all callers together and a limit for each caller.
#[derive(Clone, Debug)]
pub struct Admission<K> {
    limit: usize,
    limit_per_caller: usize,
    permits: Permits<K>,
}

/// The permission to do one piece of work. Dropping it makes room for other work.
#[derive(Debug)]
pub struct Permit<K: Hash + Eq> {
    permits: Permits<K>,
    caller: K,
}

/// The number of permits of each caller. A caller without a permit is not in the map.
type Permits<K> = Arc<Mutex<HashMap<K, usize>>>;

impl<K: Hash + Eq + Clone> Admission<K> {
    /// Creates an admission control with at most `limit` permits at a time, of which one caller gets at most
    /// `limit_per_caller`.
    pub fn new(limit: usize, limit_per_caller: usize) -> Self {
        Self { limit, limit_per_caller, permits: Arc::default() }
    }

    /// Returns a permit for a caller, or none when one of the limits is reached.
    pub fn admit(&self, caller: &K) -> Option<Permit<K>> {
        let mut permits = lock(&self.permits);
        let held = permits.get(caller).copied().unwrap_or_default();
        if held >= self.limit_per_caller || permits.values().sum::<usize>() >= self.limit {
            return None;
        }
        permits.insert(caller.clone(), held + 1);
        Some(Permit { permits: Arc::clone(&self.permits), caller: caller.clone() })
    }

    /// Returns whether no caller has a permit.
    pub fn is_idle(&self) -> bool {
        lock(&self.permits).is_empty()
    }
}

impl<K: Hash + Eq> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut permits = lock(&self.permits);
        match permits.get_mut(&self.caller) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(permits.remove(&self.caller)),
        }
    }
}

fn lock<K>(permits: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    permits.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_leaves_permits_for_others() {
        let admission = Admission::new(3, 2);
        let own = [admission.admit(&"one"), admission.admit(&"one")];
        assert!(own.iter().all(Option::is_some) && admission.admit(&"one").is_none());
        assert!(admission.admit(&"other").is_some());
    }

    #[test]
    fn callers_together_get_no_more_permits_than_the_limit() {
        let admission = Admission::new(3, 2);
        let permits = ["one", "one", "other"].map(|caller| admission.admit(&caller));
        assert!(permits.iter().all(Option::is_some) && admission.admit(&"third").is_none());
    }

    #[test]
    fn dropped_permits_can_be_used_again() {
        let admission = Admission::new(3, 2);
        let (own, other) = ([admission.admit(&"one"), admission.admit(&"one")], admission.admit(&"other"));
        drop(own);
        assert!(admission.admit(&"one").is_some() && !admission.is_idle());
        drop(other);
        assert!(admission.is_idle());
    }
}
