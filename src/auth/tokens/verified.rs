//! Tokens that verified, remembered so that the signature (some 70 µs) is
//! checked once per token rather than once per request.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::Claims;

/// How many tokens are remembered.
pub(super) const CAPACITY: usize = 10_000;

/// SHA-256 of a token: the cache itself then holds nothing that could be used.
pub(super) type Digest = [u8; 32];

/// The memory. Only accepted tokens enter it, so nobody can fill it with
/// forgeries.
#[derive(Debug, Default)]
pub(super) struct Verified {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    claims: HashMap<Digest, Arc<Claims>>,
    /// The same tokens, the first to expire first.
    by_expiry: BTreeSet<(u64, Digest)>,
}

impl Verified {
    /// The claims of a token that verified before. Whether it has expired since
    /// is for the caller to ask.
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Claims>> {
        self.entries().claims.get(digest).map(Arc::clone)
    }

    /// Remembers a token. Expired ones make room first, then those that expire
    /// next: they would have served the fewest requests.
    pub(super) fn insert(&self, digest: Digest, claims: Arc<Claims>, now: u64) {
        let mut entries = self.entries();
        entries.by_expiry.insert((claims.exp, digest));
        entries.claims.insert(digest, claims);
        while let Some(&(_, first)) = entries.by_expiry.first() {
            let expired = entries.claims.get(&first).is_none_or(|claims| claims.expired(now));
            if !expired && entries.claims.len() <= CAPACITY {
                break;
            }
            entries.by_expiry.pop_first();
            entries.claims.remove(&first);
        }
    }

    /// A panic while the lock was held can at worst have left one entry in one
    /// of the two collections, which is harmless.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{scopes::ScopeSet, tokens::claims::LEEWAY_SECONDS};

    fn expiring(exp: u64) -> Arc<Claims> {
        Arc::new(Claims {
            iss: "iss".into(),
            aud: "aud".into(),
            sub: "sub".into(),
            exp,
            iat: 0,
            jti: "jti".into(),
            client_id: "client".into(),
            scope: ScopeSet::default(),
            role: "role".into(),
            municipality: None,
            tutor: None,
            source: None,
        })
    }

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn sizes(cache: &Verified) -> (usize, usize) {
        let entries = cache.entries();
        (entries.claims.len(), entries.by_expiry.len())
    }

    #[test]
    fn remembers_no_more_than_its_capacity() {
        let cache = Verified::default();
        for number in 0..CAPACITY + 25 {
            cache.insert(digest(number), expiring(1_000), 0);
        }
        assert_eq!(sizes(&cache), (CAPACITY, CAPACITY));
    }

    #[test]
    fn expired_tokens_are_dropped_before_it_is_full() {
        let cache = Verified::default();
        cache.insert(digest(1), expiring(100), 0);
        cache.insert(digest(2), expiring(1_000), 100 + LEEWAY_SECONDS);
        assert_eq!(sizes(&cache), (1, 1));
        assert!(cache.get(&digest(1)).is_none());
    }

    #[test]
    fn when_full_the_token_that_expires_next_makes_room() {
        let cache = Verified::default();
        cache.insert(digest(CAPACITY), expiring(500), 0);
        for number in 0..CAPACITY {
            cache.insert(digest(number), expiring(1_000), 0);
        }
        assert!(cache.get(&digest(CAPACITY)).is_none());
        assert!(cache.get(&digest(0)).is_some());
    }

    #[test]
    fn a_token_remembered_twice_counts_once() {
        let cache = Verified::default();
        cache.insert(digest(1), expiring(100), 0);
        cache.insert(digest(1), expiring(100), 0);
        assert_eq!(sizes(&cache), (1, 1));
    }
}
