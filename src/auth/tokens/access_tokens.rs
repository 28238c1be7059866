//! Issuing and verifying access tokens.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    claims::{Claims, Grant},
    compact::{Compact, TYP},
    refused::Refused,
    verified_tokens::VerifiedTokens,
};
use crate::auth::keys::{key_error::KeyError, key_ring::KeyRing};

/// How long a token is valid after it was issued, in seconds.
pub const LIFETIME_SECONDS: u64 = 600;

/// The length of the longest token that the service verifies, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The claim of this name is empty or malformed, or the token would be too long.
    #[error("no access token can be issued: {0} is missing or malformed")]
    Grant(&'static str),
    /// The key could not sign.
    #[error("the access token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Issues and verifies access tokens. All workers share it.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    state: RwLock<Arc<State>>,
}

/// The keys, and the tokens that were verified with them. Both are replaced together, so that the tokens of a removed key
/// are forgotten with it, even one that is being verified at that moment.
#[derive(Debug)]
struct State {
    keys: KeyRing,
    verified: VerifiedTokens,
}

impl State {
    fn new(keys: KeyRing) -> Arc<Self> {
        Arc::new(Self { keys, verified: VerifiedTokens::default() })
    }
}

impl Tokens {
    /// Creates the issuer and verifier of tokens whose `iss` and `aud` are exactly `issuer` and `audience`. The newest of
    /// `keys` that every instance knows by now signs; all of them verify.
    #[must_use]
    pub fn new(keys: KeyRing, issuer: String, audience: String) -> Self {
        Self { issuer, audience, state: RwLock::new(State::new(keys)) }
    }

    /// Returns the keys that are in use now.
    #[must_use]
    pub fn keys(&self) -> KeyRing {
        self.state().keys.clone()
    }

    /// Loads the keys again if any key file was added, changed or removed. Returns whether it loaded them. Only a change
    /// makes it read the files, so frequent calls are cheap.
    ///
    /// # Errors
    /// Every [`KeyError`] of [`KeyRing::load`]. The keys that were loaded before then stay in use, removed ones too, until
    /// a later call succeeds.
    pub fn reload(&self) -> Result<bool, KeyError> {
        let Some(keys) = self.state().keys.reloaded()? else {
            return Ok(false);
        };
        tracing::info!(signs = keys.signer().kid(), "signing keys reloaded");
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::new(keys);
        Ok(true)
    }

    /// Issues a token that expires [`LIFETIME_SECONDS`] after `issued_at`, which is truncated to whole seconds.
    ///
    /// # Errors
    /// [`IssueError::Grant`] when [`Self::verify`] would refuse the token at any time; [`IssueError::Signing`].
    pub fn issue(&self, grant: &Grant, issued_at: DateTime<Utc>) -> Result<String, IssueError> {
        let iat = seconds(issued_at);
        let grant = grant.clone();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: grant.sub,
            exp: iat.saturating_add(LIFETIME_SECONDS),
            iat,
            jti: Uuid::new_v4().to_string(),
            client_id: grant.client_id,
            scope: grant.scope.into(),
            role: grant.role,
            municipality: grant.municipality,
            tutor: grant.tutor,
            source: grant.source,
        };
        claims.check_form().map_err(IssueError::Grant)?;
        let state = self.state();
        let key = state.keys.signer();
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(key.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims, key.private())?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IssueError::Grant("its length"));
        }
        Ok(token)
    }

    /// Verifies a token and returns its claims.
    ///
    /// # Errors
    /// [`Refused`] for every token that this service has not issued, or that is not valid now.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Refused> {
        self.verify_at(token, Utc::now()).inspect_err(|refused| {
            tracing::debug!(reason = refused.reason(), "an access token was refused");
        })
    }

    fn verify_at(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Claims>, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::new("length"));
        }
        let now = seconds(now);
        let state = self.state();
        let digest = Sha256::digest(token).into();
        if let Some(claims) = state.verified.get(&digest) {
            return if claims.is_expired(now) { Err(Refused::new("expired")) } else { Ok(claims) };
        }
        let claims = Arc::new(self.check(&state.keys, token, now)?);
        state.verified.insert(digest, Arc::clone(&claims), now);
        Ok(claims)
    }

    /// Checks a token without the cache.
    ///
    /// The service does not use `jsonwebtoken`'s checks of header and claims, because they accept an unknown `crit`, any
    /// `typ`, a list in `aud`, and a fraction in `exp`.
    fn check(&self, keys: &KeyRing, token: &str, now: u64) -> Result<Claims, Refused> {
        let compact = Compact::split(token)?;
        let key = keys.find(&compact.kid()?).ok_or(Refused::new("kid"))?;
        let signed = compact.signed.as_bytes();
        // The algorithm comes from the key, never from the token.
        let is_valid = jsonwebtoken::crypto::verify(compact.signature, signed, key.public(), Algorithm::ES256);
        if !matches!(is_valid, Ok(true)) {
            return Err(Refused::new("signature"));
        }
        let claims = compact.claims().ok_or(Refused::new("claims"))?;
        Claims::accept(claims, &self.issuer, &self.audience, now)
    }

    /// A poisoned lock does no harm: it guards one pointer, which no panic can leave half written.
    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the whole seconds since 1970; 0 for an earlier time.
fn seconds(time: DateTime<Utc>) -> u64 {
    u64::try_from(time.timestamp()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const ISSUED_AT: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    /// Returns an issuer whose keys are no longer on disk, and a token of it.
    fn start() -> (Tokens, String) {
        let dir = std::env::temp_dir().join(format!("auth-unit-{}", Uuid::new_v4()));
        let keys = KeyRing::load_or_generate(&dir).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        let tokens = Tokens::new(keys, "iss".into(), "aud".into());
        let grant = Grant {
            sub: "sub".into(),
            client_id: "client".into(),
            scope: String::new(),
            role: "role".into(),
            municipality: None,
            tutor: None,
            source: None,
        };
        let token = tokens.issue(&grant, ISSUED_AT).unwrap();
        (tokens, token)
    }

    fn verify_after(tokens: &Tokens, token: &str, seconds: i64) -> Result<(), &'static str> {
        let now = ISSUED_AT + TimeDelta::seconds(seconds);
        tokens.verify_at(token, now).map(|_| ()).map_err(Refused::reason)
    }

    #[test]
    fn a_token_is_accepted_up_to_the_last_second_of_leeway() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, 629), Ok(()));
    }

    #[test]
    fn a_token_is_expired_when_the_leeway_ends() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, 630), Err("expired"));
    }

    #[test]
    fn a_token_is_accepted_30_seconds_before_it_was_issued() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, -30), Ok(()));
    }

    #[test]
    fn a_token_is_refused_31_seconds_before_it_was_issued() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, -31), Err("iat"));
    }

    #[test]
    fn a_cached_token_is_refused_when_it_has_expired() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, 629), Ok(()));
        assert_eq!(verify_after(&tokens, &token, 630), Err("expired"));
    }

    #[test]
    fn an_accepted_token_is_cached() {
        let (tokens, token) = start();
        let first = tokens.verify_at(&token, ISSUED_AT).unwrap();
        let second = tokens.verify_at(&token, ISSUED_AT).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_refusal_is_not_cached() {
        let (tokens, token) = start();
        assert_eq!(verify_after(&tokens, &token, -31), Err("iat"));
        assert_eq!(verify_after(&tokens, &token, 0), Ok(()));
    }
}
