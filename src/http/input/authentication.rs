//! The outcome of verifying the token of a request. Middleware verifies it before anything else of the request is read.

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, http::header};

use crate::{
    auth::{state::Auth, tokens::claims::Claims},
    problem::{Error, Result},
};

/// The token of a request.
#[derive(Clone, Debug, Default)]
pub enum Authentication {
    /// The request does not try to authenticate.
    #[default]
    Absent,
    /// The token is valid.
    Valid(Arc<Claims>),
    /// The token is not valid.
    Refused,
    /// The service cannot check at the moment whether the token was revoked.
    Unchecked,
}

impl Authentication {
    /// Verifies the token of a request.
    pub(crate) fn verify(request: &HttpRequest, auth: &Auth) -> Self {
        match bearer(request).and_then(|token| token.map(|token| auth.verify(token)).transpose()) {
            Ok(None) => Self::Absent,
            Ok(Some(claims)) => Self::Valid(claims),
            Err(Error::Unavailable) => Self::Unchecked,
            Err(_) => Self::Refused,
        }
    }

    /// Returns what the middleware has found out about the token of this request.
    pub(super) fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// Returns the claims of the token; none when there is no token.
    pub(super) fn claims(self) -> Result<Option<Arc<Claims>>> {
        match self {
            Self::Absent => Ok(None),
            Self::Valid(claims) => Ok(Some(claims)),
            Self::Refused => Err(Error::Unauthenticated),
            Self::Unchecked => Err(Error::Unavailable),
        }
    }
}

/// Returns the bearer token of the request (RFC 6750, section 2.1); none when the request does not try to authenticate.
fn bearer(request: &HttpRequest) -> Result<Option<&str>> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::Unauthenticated);
    }
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let (scheme, token) = text.and_then(|value| value.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim_start_matches(' ')))
    } else {
        Err(Error::Unauthenticated)
    }
}
