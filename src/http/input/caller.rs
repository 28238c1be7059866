//! The first extractor of every operation that needs a token. It checks that the token is valid and has the scope, before
//! anything else of the request is read.

use std::{future::Ready, marker::PhantomData, sync::Arc};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web::Data};

use super::{accept, authentication::Authentication, parameters::refuse_unknown};
use crate::{
    auth::{
        reach::{Identity, Reach},
        scopes::Scope,
        state::Auth,
        tokens::claims::Claims,
    },
    db::{Author, batching::response_cache::CacheKey},
    domain::Role,
    problem::{Error, Result},
    telemetry::request_id::RequestId,
};

/// A caller that may use the scope `S`.
#[derive(Debug)]
pub struct Caller<S> {
    /// The rows that the caller sees and may change with this scope.
    pub reach: Reach,
    request_id: RequestId,
    claims: Option<Arc<Claims>>,
    scope: PhantomData<S>,
}

/// Marks a request without a token, in its extensions: its response is the same for everybody.
#[derive(Debug)]
pub struct Public;

impl<S: Scope> Caller<S> {
    /// Returns the author of the changes that this request writes.
    pub fn author(&self) -> Author {
        Author { actor: self.reach.identity.actor(), request_id: Some(self.request_id.as_str().to_owned()) }
    }

    /// Returns the cache key of the response to this request of this caller.
    pub fn cache_key(&self, request: impl Into<String>) -> CacheKey {
        CacheKey { caller: self.reach.key(), request: request.into() }
    }

    /// Returns whether the caller holds this scope too.
    pub fn holds(&self, scope: &str) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.scope.has(scope))
    }

    /// Refuses a caller that does not hold this scope too.
    ///
    /// # Errors
    /// [`Error::MissingScope`].
    pub fn require(&self, scope: &'static str) -> Result<()> {
        if self.holds(scope) { Ok(()) } else { Err(Error::MissingScope(scope)) }
    }

    /// Returns the reach of the caller under another of its scopes.
    ///
    /// # Errors
    /// [`Error::MissingScope`]; [`Error::Unauthenticated`] when the scope needs a token.
    pub fn reach_for<T: Scope>(&self) -> Result<Reach> {
        match &self.claims {
            Some(claims) => reach_of::<T>(claims),
            None if T::PUBLIC => Ok(Reach::anonymous()),
            None => Err(Error::Unauthenticated),
        }
    }

    /// Refuses a caller whose access was revoked while its request waited.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] while the service cannot check the access.
    pub fn require_access(&self, auth: &Auth) -> Result<()> {
        match &self.claims {
            Some(claims) if auth.revocations.is_revoked(claims)? => Err(Error::Unauthenticated),
            _ => Ok(()),
        }
    }

    fn authenticate(request: &HttpRequest) -> Result<Self> {
        let auth = request.app_data::<Data<Auth>>().ok_or_else(|| Error::Internal("no Auth".into()))?;
        let claims = Authentication::of(request).claims()?;
        let reach = match &claims {
            Some(claims) => reach_of::<S>(claims)?,
            None if auth.public_read() && S::PUBLIC => {
                request.extensions_mut().insert(Public);
                Reach::anonymous()
            }
            None => return Err(Error::Unauthenticated),
        };
        Ok(Self { reach, request_id: RequestId::of(request), claims, scope: PhantomData })
    }
}

impl<S: Scope> FromRequest for Caller<S> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::authenticate(request).and_then(|caller| {
            // PostgreSQL stores no NUL, so no resource has such a key.
            if request.uri().path().contains("%00") {
                return Err(Error::NotFound);
            }
            refuse_unknown(request)?;
            accept::require(request)?;
            Ok(caller)
        }))
    }
}

fn reach_of<S: Scope>(claims: &Claims) -> Result<Reach> {
    if !S::NAME.is_empty() && !claims.scope.has(S::NAME) {
        return Err(Error::MissingScope(S::NAME));
    }
    let identity = Identity::of(claims).ok_or(Error::Unauthenticated)?;
    let role = match claims.role.as_str() {
        "tutor" => Role::Tutor,
        "municipality" => Role::Municipality,
        "partner" => Role::Partner,
        "coordinator" => Role::Coordinator,
        _ => return Err(Error::Unauthenticated),
    };
    Ok(Reach {
        role,
        identity,
        municipality: claims.municipality.clone(),
        tutor: claims.tutor,
        contacts: claims.scope.has("contacts:read"),
        writes: claims.scope.has(S::WRITE),
    })
}
