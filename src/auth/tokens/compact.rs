//! The compact serialisation of a signed token (RFC 7515, section 7.1) and its header. The service parses both more strictly
//! than the RFC requires, because it accepts only tokens that it has issued itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::domain::unique_keys::UniqueKeys;

/// The `typ` of an access token (RFC 9068, section 2.1).
pub(super) const TYP: &str = "at+jwt";
/// The same as a full media type, which is accepted too.
const FULL_TYP: &str = "application/at+jwt";
const ALG: &str = "ES256";

/// The three parts of a token. The signature has not been checked.
pub(super) struct Compact<'a> {
    /// The signed text: header and claims in base64url, joined by a dot.
    pub(super) signed: &'a str,
    /// The signature in base64url.
    pub(super) signature: &'a str,
    header: &'a str,
    claims: &'a str,
}

impl<'a> Compact<'a> {
    /// Splits a token into its three parts. None of them may be empty.
    pub(super) fn split(token: &'a str) -> Result<Self, Refused> {
        let parts: Vec<&str> = token.split('.').collect();
        match parts[..] {
            [header, claims, signature] if parts.iter().all(|part| !part.is_empty()) => {
                Ok(Self { signed: &token[..header.len() + 1 + claims.len()], signature, header, claims })
            }
            _ => Err(Refused::new("parts")),
        }
    }

    /// Returns the `kid` of the header. The header must have `typ`, `alg` and `kid` as the service issues them, and nothing
    /// else.
    ///
    /// RFC 7515, section 4 says to ignore unknown parameters. The service refuses them instead, and with them `crit`, `jwk`,
    /// `jku`, `x5u`, `x5c`, `enc`, `zip`, `b64` and every parameter that is registered later.
    pub(super) fn kid(&self) -> Result<String, Refused> {
        let mut header = object(self.header).ok_or(Refused::new("header"))?;
        let mut take = |name: &'static str| match header.remove(name) {
            Some(Value::String(value)) => Ok(value),
            _ => Err(Refused::new(name)),
        };
        let (typ, alg, kid) = (take("typ")?, take("alg")?, take("kid")?);
        if !typ.eq_ignore_ascii_case(TYP) && !typ.eq_ignore_ascii_case(FULL_TYP) {
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

    /// Returns the claims, unchecked. Check the signature first.
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
