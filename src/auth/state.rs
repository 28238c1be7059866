//! The state that all workers share to authenticate callers.

use std::sync::Arc;

use super::{
    failures::FailureLog,
    hashing_places::HashingPlaces,
    keys::key_ring::KeyRing,
    revocations::Revocations,
    tokens::{access_tokens::Tokens, claims::Claims},
};
use crate::{
    config::Config,
    problem::{Error, Result},
};

/// The state that all workers share to authenticate callers.
#[derive(Debug)]
pub struct Auth {
    /// Issues and verifies access tokens.
    pub tokens: Tokens,
    /// The accounts and clients whose older tokens are refused.
    pub revocations: Revocations,
    /// Limits how many passwords are hashed at a time, and shares them among addresses.
    pub hashing_places: HashingPlaces,
    /// Records failed attempts to sign in.
    pub failures: FailureLog,
    public_read: bool,
}

impl Auth {
    /// Creates the state with these keys. The service's public URL is the issuer and the audience of its tokens.
    pub fn new(config: &Config, keys: KeyRing, failures: FailureLog) -> Self {
        Self {
            tokens: Tokens::new(keys, config.public_url.clone(), config.public_url.clone()),
            revocations: Revocations::default(),
            hashing_places: HashingPlaces::default(),
            failures,
            public_read: config.public_read,
        }
    }

    /// Returns whether callers without a token can read published data that is not personal.
    pub fn public_read(&self) -> bool {
        self.public_read
    }

    /// Verifies a token and returns its claims.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for every token that is not valid; [`Error::Unavailable`] while the service cannot
    /// check whether the token has been revoked.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        let claims = self.tokens.verify(token).map_err(|_| Error::Unauthenticated)?;
        if self.revocations.is_revoked(&claims)? { Err(Error::Unauthenticated) } else { Ok(claims) }
    }
}
