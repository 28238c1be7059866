//! Access tokens: JWTs in the profile of RFC 9068, signed with ES256, valid for
//! ten minutes, issued and verified by this service alone.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use super::claims::{Claims, Grant, LEEWAY_SECONDS};
use super::compact::{Compact, TYP};
pub use super::refused::Refused;
use super::verified::Verified;
use crate::auth::keys::{key_error::KeyError, key_ring::KeyRing};

/// How long a token is valid after it was issued, in seconds.
pub const LIFETIME_SECONDS: u64 = 600;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The named part of the grant is empty, malformed or too long.
    #[error("no access token can be issued: {0} is missing or malformed")]
    Grant(&'static str),
    /// The key could not sign.
    #[error("the access token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Issues and verifies access tokens. Share it behind an [`Arc`].
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    state: RwLock<Arc<State>>,
}

/// The remembered tokens live and die with the ring that verified them: a key
/// that is removed takes its tokens along, also one just being verified.
#[derive(Debug)]
struct State {
    keys: KeyRing,
    verified: Verified,
}

impl State {
    fn new(keys: KeyRing) -> Arc<Self> {
        Arc::new(Self { keys, verified: Verified::default() })
    }
}

impl Tokens {
    /// Issues with the newest of `keys` that every instance knows by now, and
    /// verifies with all of them; `iss` and `aud` of a token are exactly `issuer`
    /// and `audience`.
    #[must_use]
    pub fn new(keys: KeyRing, issuer: String, audience: String) -> Self {
        Self { issuer, audience, state: RwLock::new(State::new(keys)) }
    }

    /// The keys in use now, for publishing them.
    #[must_use]
    pub fn keys(&self) -> KeyRing {
        self.state().keys.clone()
    }

    /// Takes up key files that were added, changed or removed, and says whether
    /// any were. Reads files only then, so it may be called every second.
    ///
    /// # Errors
    ///
    /// When the directory as it now stands cannot be used. The keys loaded before
    /// stay in use, also removed ones, until a later call succeeds.
    pub fn reload(&self) -> Result<bool, KeyError> {
        let Some(keys) = self.state().keys.reloaded()? else {
            return Ok(false);
        };
        tracing::info!(signs = keys.signer().kid(), "signing keys reloaded");
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::new(keys);
        Ok(true)
    }

    /// Issues a token that expires [`LIFETIME_SECONDS`] after `issued_at`
    /// (fractions of a second are cut off).
    ///
    /// # Errors
    ///
    /// When the grant would make a token that [`verify`](Self::verify) refuses
    /// whatever the time, or when the key cannot sign.
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
        claims.well_formed().map_err(IssueError::Grant)?;
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

    /// The claims of a token this service issued and that is valid now.
    ///
    /// # Errors
    ///
    /// [`Refused`], whatever is wrong with it.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Refused> {
        self.verify_at(token, Utc::now()).inspect_err(|refused| {
            tracing::debug!(reason = refused.reason(), "access token refused");
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
            let live = !claims.expired(now);
            return live.then_some(claims).ok_or(Refused::new("expired"));
        }
        let claims = Arc::new(self.check(&state.keys, token, now)?);
        state.verified.insert(digest, Arc::clone(&claims), now);
        Ok(claims)
    }

    /// Everything [`verify`](Self::verify) promises, nothing remembered.
    ///
    /// The header and claims checks of `jsonwebtoken` are not used: they let pass
    /// an unknown `crit`, any `typ`, a list for `aud`, and a fraction for `exp`.
    fn check(&self, keys: &KeyRing, token: &str, now: u64) -> Result<Claims, Refused> {
        let compact = Compact::split(token)?;
        let key = keys.find(&compact.kid()?).ok_or(Refused::new("kid"))?;
        // The algorithm is the key's own; a false signature is Ok(false).
        let signed = compact.signed.as_bytes();
        let verdict = jsonwebtoken::crypto::verify(compact.signature, signed, key.public(), Algorithm::ES256);
        if !matches!(verdict, Ok(true)) {
            return Err(Refused::new("signature"));
        }
        let claims = compact.claims().ok_or(Refused::new("claims"))?;
        Claims::accept(claims, &self.issuer, &self.audience, now)
    }

    /// The lock guards one pointer, which no panic can leave half written.
    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whole seconds since 1970; moments before it count as 1970.
fn seconds(moment: DateTime<Utc>) -> u64 {
    u64::try_from(moment.timestamp()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const ISSUED_AT: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    /// A service whose keys are no longer on disk, and a token of it.
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

    fn after(tokens: &Tokens, token: &str, seconds: i64) -> Result<(), &'static str> {
        let now = ISSUED_AT + TimeDelta::seconds(seconds);
        tokens.verify_at(token, now).map(|_| ()).map_err(Refused::reason)
    }

    #[test]
    fn accepted_up_to_the_last_second_of_leeway() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, 629), Ok(()));
    }

    #[test]
    fn expired_with_the_end_of_leeway() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, 630), Err("expired"));
    }

    #[test]
    fn accepted_30_seconds_before_it_was_issued() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, -30), Ok(()));
    }

    #[test]
    fn refused_31_seconds_before_it_was_issued() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, -31), Err("iat"));
    }

    #[test]
    fn a_remembered_token_is_refused_once_it_has_expired() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, 629), Ok(()));
        assert_eq!(after(&tokens, &token, 630), Err("expired"));
    }

    #[test]
    fn an_accepted_token_is_remembered() {
        let (tokens, token) = start();
        let first = tokens.verify_at(&token, ISSUED_AT).unwrap();
        let second = tokens.verify_at(&token, ISSUED_AT).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_refusal_is_not_remembered() {
        let (tokens, token) = start();
        assert_eq!(after(&tokens, &token, -31), Err("iat"));
        assert_eq!(after(&tokens, &token, 0), Ok(()));
    }
}
