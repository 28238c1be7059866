//! A cache of verified tokens, so that the service checks a signature (about 70 µs) once for each token and not once for
//! each request.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::claims::Claims;

/// The maximum number of tokens in the cache.
pub(super) const CAPACITY: usize = 10_000;

/// The SHA-256 of a token. The cache holds no tokens, so nobody could use what leaks from it.
pub(super) type Digest = [u8; 32];

/// The cache. Only accepted tokens enter it, so nobody can fill it with forged ones.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    claims: HashMap<Digest, Arc<Claims>>,
    /// The same tokens, ordered by when they expire.
    by_expiry: BTreeSet<(u64, Digest)>,
}

impl VerifiedTokens {
    /// Returns the claims of a token that was verified before. The caller must check whether it has expired since.
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Claims>> {
        self.entries().claims.get(digest).map(Arc::clone)
    }

    /// Adds a token, and removes expired tokens. When the cache is full, it also removes the token that expires next,
    /// because that token would have served the fewest requests.
    pub(super) fn insert(&self, digest: Digest, claims: Arc<Claims>, now: u64) {
        let mut entries = self.entries();
        entries.by_expiry.insert((claims.exp, digest));
        entries.claims.insert(digest, claims);
        while let Some(&(_, first)) = entries.by_expiry.first() {
            let is_expired = entries.claims.get(&first).is_none_or(|claims| claims.is_expired(now));
            if !is_expired && entries.claims.len() <= CAPACITY {
                break;
            }
            entries.by_expiry.pop_first();
            entries.claims.remove(&first);
        }
    }

    /// A poisoned lock does no harm: a panic can at worst have left an entry in only one of the two collections.
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

    fn sizes(cache: &VerifiedTokens) -> (usize, usize) {
        let entries = cache.entries();
        (entries.claims.len(), entries.by_expiry.len())
    }

    #[test]
    fn the_cache_holds_no_more_tokens_than_its_capacity() {
        let cache = VerifiedTokens::default();
        for number in 0..CAPACITY + 25 {
            cache.insert(digest(number), expiring(1_000), 0);
        }
        assert_eq!(sizes(&cache), (CAPACITY, CAPACITY));
    }

    #[test]
    fn expired_tokens_are_removed_before_the_cache_is_full() {
        let cache = VerifiedTokens::default();
        cache.insert(digest(1), expiring(100), 0);
        cache.insert(digest(2), expiring(1_000), 100 + LEEWAY_SECONDS);
        assert_eq!(sizes(&cache), (1, 1));
        assert!(cache.get(&digest(1)).is_none());
    }

    #[test]
    fn a_full_cache_removes_the_token_that_expires_next() {
        let cache = VerifiedTokens::default();
        cache.insert(digest(CAPACITY), expiring(500), 0);
        for number in 0..CAPACITY {
            cache.insert(digest(number), expiring(1_000), 0);
        }
        assert!(cache.get(&digest(CAPACITY)).is_none());
        assert!(cache.get(&digest(0)).is_some());
    }

    #[test]
    fn a_token_that_is_added_twice_counts_once() {
        let cache = VerifiedTokens::default();
        cache.insert(digest(1), expiring(100), 0);
        cache.insert(digest(1), expiring(100), 0);
        assert_eq!(sizes(&cache), (1, 1));
    }
}
