//! What every worker shares to authenticate callers.

use std::sync::Arc;

use super::{
    keys::key_ring::KeyRing,
    passwords,
    revocations::Revocations,
    tokens::{access_tokens::Tokens, claims::Claims},
};
use crate::{
    admission::Places,
    config::Config,
    problem::{Error, Result},
};

/// What every worker asks about callers.
#[derive(Debug)]
pub struct Auth {
    /// Issues and verifies access tokens.
    pub tokens: Tokens,
    /// Whose access has changed since their token was issued.
    pub revocations: Revocations,
    /// Those whose passwords are hashed or wait for it, by address.
    pub trying: Places<String>,
    public_read: bool,
}

impl Auth {
    /// With these keys; tokens are issued by and for the service's public URL.
    pub fn new(config: &Config, keys: KeyRing) -> Self {
        Self {
            tokens: Tokens::new(keys, config.public_url.clone(), config.public_url.clone()),
            revocations: Revocations::default(),
            trying: Places::new(passwords::PLACES, passwords::PLACES_OF_ONE),
            public_read: config.public_read,
        }
    }

    /// Whether published, non-personal data can be read without a token.
    pub fn public_read(&self) -> bool {
        self.public_read
    }

    /// The claims of a token that holds now.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], whatever is wrong with it; [`Error::Unavailable`] while nobody can say
    /// whether it has been revoked.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        let claims = self.tokens.verify(token).map_err(|_| Error::Unauthenticated)?;
        if self.revocations.revoked(&claims)? { Err(Error::Unauthenticated) } else { Ok(claims) }
    }
}
