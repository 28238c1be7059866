//! The extractor that every operation begins with: who calls, and with which scope.

use std::{future::Ready, marker::PhantomData, sync::Arc};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header, web::Data};
use uuid::Uuid;

use super::{
    Auth,
    reach::{Identity, Reach, Role},
    scopes::Scope,
    tokens::Claims,
};
use crate::{
    db::Author,
    http::{accept, parameters},
    problem::{Error, Result},
    telemetry::RequestId,
};

/// A caller that may use scope `S`.
#[derive(Debug)]
pub struct Caller<S> {
    /// How far it reaches.
    pub reach: Reach,
    request_id: RequestId,
    claims: Option<Arc<Claims>>,
    scope: PhantomData<S>,
}

/// In a request's extensions: the answer is the same for everybody.
#[derive(Debug)]
pub struct Public;

impl<S: Scope> Caller<S> {
    /// What the ledger of changes keeps of this request.
    pub fn author(&self) -> Author {
        Author { actor: self.reach.identity.actor(), request_id: Some(self.request_id.as_str().to_owned()) }
    }

    /// Whether it holds this scope too.
    pub fn holds(&self, scope: &str) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.scope.has(scope))
    }

    /// Passes when it holds this scope too.
    ///
    /// # Errors
    /// [`Error::MissingScope`].
    pub fn require(&self, scope: &'static str) -> Result<()> {
        if self.holds(scope) { Ok(()) } else { Err(Error::MissingScope(scope)) }
    }

    /// How far it reaches with another scope of its own.
    ///
    /// # Errors
    /// [`Error::MissingScope`]; [`Error::Unauthenticated`] when one needs a token for that.
    pub fn reach_for<T: Scope>(&self) -> Result<Reach> {
        match &self.claims {
            Some(claims) => reach_of::<T>(claims),
            None if T::PUBLIC => Ok(anonymous()),
            None => Err(Error::Unauthenticated),
        }
    }

    /// Passes while its access has not been withdrawn: for one who has waited.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] while nobody can say.
    pub fn admitted_by(&self, auth: &Auth) -> Result<()> {
        match &self.claims {
            Some(claims) if auth.revocations.revoked(claims)? => Err(Error::Unauthenticated),
            _ => Ok(()),
        }
    }

    fn authenticate(request: &HttpRequest) -> Result<Self> {
        let auth = request.app_data::<Data<Auth>>().ok_or_else(|| Error::Internal("no Auth".into()))?;
        let claims = bearer(request)?.map(|token| auth.verify(token)).transpose()?;
        let reach = match &claims {
            Some(claims) => reach_of::<S>(claims)?,
            None if auth.public_read() && S::PUBLIC => {
                request.extensions_mut().insert(Public);
                anonymous()
            }
            None => return Err(Error::Unauthenticated),
        };
        request.extensions_mut().insert(reach.identity.clone());
        Ok(Self { reach, request_id: RequestId::of(request), claims, scope: PhantomData })
    }
}

impl<S: Scope> FromRequest for Caller<S> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::authenticate(request).and_then(|caller| {
            // PostgreSQL takes no NUL: nothing is stored under such a key.
            if request.uri().path().contains("%00") {
                return Err(Error::NotFound);
            }
            parameters::refuse_unknown(request)?;
            accept::require(request)?;
            Ok(caller)
        }))
    }
}

/// The one bearer token of the request (RFC 6750, section 2.1), if it tries to authenticate at all.
fn bearer(request: &HttpRequest) -> Result<Option<&str>> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::Unauthenticated);
    }
    // What is no visible ASCII is no token either: it need not be looked for here.
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let (scheme, token) = text.and_then(|value| value.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim_start_matches(' ')))
    } else {
        Err(Error::Unauthenticated)
    }
}

fn reach_of<S: Scope>(claims: &Claims) -> Result<Reach> {
    if !S::NAME.is_empty() && !claims.scope.has(S::NAME) {
        return Err(Error::MissingScope(S::NAME));
    }
    let id = Uuid::try_parse(&claims.sub).map_err(|_| Error::Unauthenticated)?;
    let identity = match &claims.source {
        Some(source) => Identity::Client { id, source: source.clone() },
        None => Identity::Account(id),
    };
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

fn anonymous() -> Reach {
    Reach {
        role: Role::Anonymous,
        identity: Identity::Anonymous,
        municipality: None,
        tutor: None,
        contacts: false,
        writes: false,
    }
}
