//! The outer form of a signed token: JWS compact serialisation (RFC 7515 §7.1)
//! and its header, parsed more strictly than the RFC asks, since every token
//! accepted here was also written here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::domain::unique_keys::UniqueKeys;

/// `typ` of an access token (RFC 9068 §2.1).
pub(super) const TYP: &str = "at+jwt";
const TYP_IN_FULL: &str = "application/at+jwt";
const ALG: &str = "ES256";

/// The three parts of a token, the signature not yet checked.
pub(super) struct Compact<'a> {
    /// Header and claims as they were signed: base64url, joined by a dot.
    pub(super) signed: &'a str,
    /// Base64url.
    pub(super) signature: &'a str,
    header: &'a str,
    claims: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart; three non-empty parts, else it is refused.
    pub(super) fn split(token: &'a str) -> Result<Self, Refused> {
        let parts: Vec<&str> = token.split('.').collect();
        match parts[..] {
            [header, claims, signature] if parts.iter().all(|part| !part.is_empty()) => {
                Ok(Self { signed: &token[..header.len() + 1 + claims.len()], signature, header, claims })
            }
            _ => Err(Refused::new("parts")),
        }
    }

    /// The `kid` of a header that holds `typ`, `alg` and `kid`, each as issued,
    /// and nothing else.
    ///
    /// RFC 7515 §4 would have unknown parameters ignored. Allowing only what is
    /// issued refuses `crit`, `jwk`, `jku`, `x5u`, `x5c`, `enc`, `zip`, `b64`
    /// and whatever is registered next.
    pub(super) fn kid(&self) -> Result<String, Refused> {
        let mut header = object(self.header).ok_or(Refused::new("header"))?;
        let mut take = |name: &'static str| match header.remove(name) {
            Some(Value::String(value)) => Ok(value),
            _ => Err(Refused::new(name)),
        };
        let (typ, alg, kid) = (take("typ")?, take("alg")?, take("kid")?);
        if !typ.eq_ignore_ascii_case(TYP) && !typ.eq_ignore_ascii_case(TYP_IN_FULL) {
            return Err(Refused::new("typ"));
        }
        if alg != ALG {
            return Err(Refused::new("alg"));
        }
        if !header.is_empty() {
            return Err(Refused::new("header parameter"));
        }
        Ok(kid)
    }

    /// The claims set, undecided: call only once the signature has been checked.
    pub(super) fn claims(&self) -> Option<Map<String, Value>> {
        object(self.claims)
    }
}

/// Decodes base64url that holds one JSON object without duplicate names. RFC 7519, section 4 lets a parser keep the last of
/// two equal names; two parsers could then read two different tokens. Padding, stray trailing bits and white space in the
/// base64url are refused.
fn object(part: &str) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice(&json).ok()? {
        UniqueKeys(Value::Object(object)) => Some(object),
        UniqueKeys(_) => None,
    }
}
