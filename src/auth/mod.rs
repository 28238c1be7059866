//! Who calls, and what they may do.

pub mod caller;
mod claims;
mod jose;
mod key_files;
pub mod keys;
pub mod passwords;
pub mod places;
pub mod reach;
mod refused;
pub mod revocations;
pub mod scopes;
pub mod secrets;
pub mod throttle;
pub mod tokens;
mod verified;

use std::sync::Arc;

pub use self::caller::Caller;
use self::{
    keys::KeyRing,
    places::Places,
    revocations::Revocations,
    tokens::{Claims, Tokens},
};
use crate::{
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
