//! The claims of an access token, and the conditions under which the service accepts them.

use garde::Validate as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::refused::Refused;
use crate::{auth::scopes::ScopeSet, domain::MunicipalityCode};

/// How far the clocks of two instances may differ, in seconds. A token is accepted until this long after `exp`, the
/// last second excluded, and from this long before `nbf` and `iat`.
pub const LEEWAY_SECONDS: u64 = 30;

/// The claims of an access token (RFC 9068, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the URL of this service.
    pub iss: String,
    /// The audience: the URL of this service, as a string. Arrays are neither issued nor accepted.
    pub aud: String,
    /// The id of the account or client that the token is for.
    pub sub: String,
    /// When the token expires, in whole seconds since 1970 (UTC).
    pub exp: u64,
    /// When the token was issued, in whole seconds since 1970 (UTC).
    pub iat: u64,
    /// The id of the token.
    pub jti: String,
    /// The client to which the token was issued; the URL of this service when a person signed in.
    pub client_id: String,
    /// The scopes of the token (RFC 8693, section 4.2).
    pub scope: ScopeSet,
    /// The role of `sub`.
    pub role: String,
    /// The code of the municipality that `sub` acts for, if it acts for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality: Option<MunicipalityCode>,
    /// The tutor whose account `sub` is, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tutor: Option<Uuid>,
    /// The `source` of everything that a partner system creates. A person has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Claims {
    /// Reads and checks claims. The signature must have been checked before.
    ///
    /// Unknown claims are ignored (RFC 7519, section 4). `nbf` is checked although the service does not issue it.
    pub(super) fn accept(
        mut object: Map<String, Value>,
        issuer: &str,
        audience: &str,
        now: u64,
    ) -> Result<Self, Refused> {
        // Serde would read null as an absent claim.
        if object.values().any(Value::is_null) {
            return Err(Refused::new("null claim"));
        }
        let nbf = match object.remove("nbf") {
            Some(nbf) => Some(nbf.as_u64().ok_or(Refused::new("nbf"))?),
            None => None,
        };
        let claims: Self = serde_json::from_value(Value::Object(object)).map_err(|_| Refused::new("claims"))?;
        claims.check_form().map_err(Refused::new)?;
        claims.check_validity(issuer, audience, nbf, now)?;
        Ok(claims)
    }

    fn check_validity(&self, issuer: &str, audience: &str, nbf: Option<u64>, now: u64) -> Result<(), Refused> {
        let too_early = |time: u64| time > now.saturating_add(LEEWAY_SECONDS);
        let reason = if self.iss != issuer {
            "iss"
        } else if self.aud != audience {
            "aud"
        } else if self.is_expired(now) {
            "expired"
        } else if too_early(self.iat) {
            "iat"
        } else if nbf.is_some_and(too_early) {
            "nbf"
        } else {
            return Ok(());
        };
        Err(Refused::new(reason))
    }

    /// Returns whether the token has expired (RFC 7519, section 4.1.4).
    pub(super) fn is_expired(&self, now: u64) -> bool {
        now >= self.exp.saturating_add(LEEWAY_SECONDS)
    }

    /// Checks what the types do not; the error names the claim. It is checked before a token is issued too, so that the
    /// service never issues a token that it would refuse.
    pub(super) fn check_form(&self) -> Result<(), &'static str> {
        let required = [
            ("iss", &self.iss),
            ("aud", &self.aud),
            ("sub", &self.sub),
            ("jti", &self.jti),
            ("client_id", &self.client_id),
            ("role", &self.role),
        ];
        if let Some((name, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(name);
        }
        if self.municipality.as_ref().is_some_and(|code| code.validate().is_err()) {
            return Err("municipality");
        }
        Ok(())
    }
}

/// The claims that the caller of [`Tokens::issue`](super::access_tokens::Tokens::issue) chooses. `issue` adds the other
/// [`Claims`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The id of the account or client that the token is for.
    pub sub: String,
    /// The client to which the token is issued; the URL of this service when a person signs in.
    pub client_id: String,
    /// The scopes, separated by single spaces.
    pub scope: String,
    /// The role of `sub`.
    pub role: String,
    /// The code of the municipality that `sub` acts for, if it acts for one.
    pub municipality: Option<MunicipalityCode>,
    /// The tutor whose account `sub` is, if any.
    pub tutor: Option<Uuid>,
    /// The `source` of everything that a partner system creates. A person has none.
    pub source: Option<String>,
}
