//! What an access token says, and when that is to be believed.

use garde::Validate as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::refused::Refused;
use crate::{auth::scopes::ScopeSet, domain::MunicipalityCode};

/// How far the clocks of two instances may differ, in seconds: a token is
/// accepted up to, not including, this long after `exp`, and this long before
/// `nbf` and `iat`.
pub const LEEWAY_SECONDS: u64 = 30;

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued the token: this service, by its URL.
    pub iss: String,
    /// Whom it is meant for. One string; arrays are not issued and not accepted.
    pub aud: String,
    /// Whom it speaks for.
    pub sub: String,
    /// When it stops being valid, in whole seconds since 1970 (UTC).
    pub exp: u64,
    /// When it was issued, in whole seconds since 1970 (UTC).
    pub iat: u64,
    /// Unique to this token.
    pub jti: String,
    /// The client it was issued to; for a login, the service itself.
    pub client_id: String,
    /// What it allows (RFC 8693 §4.2).
    pub scope: ScopeSet,
    /// The role of `sub`.
    pub role: String,
    /// Municipality code, three digits, when the role is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality: Option<MunicipalityCode>,
    /// The tutor `sub` is, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tutor: Option<Uuid>,
    /// The `source` of all that a partner system makes; none for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Claims {
    /// Reads and judges a claims set whose signature has been checked.
    ///
    /// Unknown claims are ignored (RFC 7519 §4), `nbf` is honoured though not
    /// issued.
    pub(super) fn accept(
        mut object: Map<String, Value>,
        issuer: &str,
        audience: &str,
        now: u64,
    ) -> Result<Self, Refused> {
        // Serde reads null as an absent option.
        if object.values().any(Value::is_null) {
            return Err(Refused::new("null claim"));
        }
        let nbf = match object.remove("nbf") {
            Some(nbf) => Some(nbf.as_u64().ok_or(Refused::new("nbf"))?),
            None => None,
        };
        let claims: Self = serde_json::from_value(Value::Object(object)).map_err(|_| Refused::new("claims"))?;
        claims.well_formed().map_err(Refused::new)?;
        claims.judge(issuer, audience, nbf, now)?;
        Ok(claims)
    }

    fn judge(&self, issuer: &str, audience: &str, nbf: Option<u64>, now: u64) -> Result<(), Refused> {
        let too_early = |moment: u64| moment > now.saturating_add(LEEWAY_SECONDS);
        let ground = if self.iss != issuer {
            "iss"
        } else if self.aud != audience {
            "aud"
        } else if self.expired(now) {
            "expired"
        } else if too_early(self.iat) {
            "iat"
        } else if nbf.is_some_and(too_early) {
            "nbf"
        } else {
            return Ok(());
        };
        Err(Refused::new(ground))
    }

    /// Whether the token may no longer be accepted (RFC 7519 §4.1.4).
    pub(super) fn expired(&self, now: u64) -> bool {
        now >= self.exp.saturating_add(LEEWAY_SECONDS)
    }

    /// What types alone do not say; the error names the claim. Asked both when
    /// issuing and when verifying, so that nothing is issued that is refused.
    pub(super) fn well_formed(&self) -> Result<(), &'static str> {
        let filled = [
            ("iss", &self.iss),
            ("aud", &self.aud),
            ("sub", &self.sub),
            ("jti", &self.jti),
            ("client_id", &self.client_id),
            ("role", &self.role),
        ];
        if let Some((name, _)) = filled.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(name);
        }
        if self.municipality.as_ref().is_some_and(|code| code.validate().is_err()) {
            return Err("municipality");
        }
        Ok(())
    }
}

/// What [`Tokens::issue`](super::tokens::Tokens::issue) is told; the rest of the
/// [`Claims`] it knows itself. The fields mean what those of the claims mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whom the token speaks for.
    pub sub: String,
    /// The client it is issued to; for a login, the service itself.
    pub client_id: String,
    /// What it allows: names separated by single spaces.
    pub scope: String,
    /// The role of `sub`.
    pub role: String,
    /// Municipality code, three digits, when the role is bound to one.
    pub municipality: Option<MunicipalityCode>,
    /// The tutor `sub` is, when it is one.
    pub tutor: Option<Uuid>,
    /// The `source` of all that a partner system makes; none for a person.
    pub source: Option<String>,
}
