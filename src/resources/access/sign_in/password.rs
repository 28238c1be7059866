//! Setting a password: with the old one, or with an invitation.

use actix_web::{HttpRequest, post, web::Data};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::api::remember;
use crate::{
    auth::{passwords, reach::Identity, scopes::AnyScope, state::Auth, throttle::Attempt},
    db::{Author, Conn, Db, time_limit::within_limit},
    http::{
        Body, Caller, Json, KnownParameters, NoContent, input::client_address::client_address,
        openapi::responses::PasswordProblems,
    },
    problem::{Error, Result},
    resources::access::{
        accounts,
        accounts::{invitations, model::Credentials},
    },
    schema,
};

/// What the guesses of invitations from one address are counted as; no e-mail address has a NUL.
const INVITATIONS: &str = "\0invitation";

/// A new password and what allows it.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({
    "invitation": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ", "new_password": "correct horse battery staple"
}))]
pub(super) struct PasswordChange {
    /// The password until now, with an access token of the account; or else `invitation`.
    #[garde(inner(length(chars, min = 1, max = 200)), custom(instead_of(self.invitation.is_some())))]
    #[schema(min_length = 1, max_length = 200, format = Password)]
    old_password: Option<String>,
    /// The one-time secret that the coordinator handed over, without an access token; or else `old_password`.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 200)]
    invitation: Option<String>,
    /// The password from now on.
    #[garde(length(chars, min = *passwords::LENGTH.start(), max = *passwords::LENGTH.end()))]
    #[schema(min_length = 10, max_length = 200, format = Password)]
    new_password: String,
}

impl Body for PasswordChange {}

fn instead_of(other: bool) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |this, ()| {
        if this.is_some() == other {
            return Err(garde::Error::new("one_of|send either old_password or invitation"));
        }
        Ok(())
    }
}

/// Set a password
///
/// With the old one and an access token of the account, or with an invitation and no token. All sessions of the account
/// end and its access tokens are refused: sign in anew. Failures count as those of `POST /v1/auth/login` do. It takes no
/// `Idempotency-Key`: what answers a request that may have been done is kept of no secret. Should the answer be lost, sign
/// in with the new password: if that is refused, nothing was done.
#[utoipa::path(
    tag = "sign-in",
    security((), ("bearer" = [])),
    responses((status = 204, description = "The password is set"), PasswordProblems),
)]
#[post("/v1/auth/password")]
pub(super) async fn set_password(
    _: KnownParameters,
    request: HttpRequest,
    caller: Result<Caller<AnyScope>>,
    Json(body): Json<PasswordChange>,
    db: Data<Db>,
    auth: Data<Auth>,
) -> Result<NoContent> {
    match (body.old_password, body.invitation) {
        (_, Some(invitation)) => within_limit(accept(&request, &db, &auth, invitation, body.new_password)).await?,
        (Some(old), None) => within_limit(change(&request, &db, &auth, caller?, old, body.new_password)).await?,
        (None, None) => return Err(Error::SignInRefused),
    }
    Ok(NoContent)
}

async fn change(
    request: &HttpRequest,
    db: &Db,
    auth: &Auth,
    caller: Caller<AnyScope>,
    old: String,
    new: String,
) -> Result<()> {
    let Identity::Account(id) = caller.reach.identity else {
        return Err(Error::OutOfReach(
            "a client has secrets, not a password; the coordinator changes those".to_owned(),
        ));
    };
    let known = db.read(async |conn| accounts::store::credentials(conn, id).await).await;
    let known = known.map_err(|error| if matches!(error, Error::NotFound) { Error::Unauthenticated } else { error })?;
    let attempt = Attempt::new(known.account.fields.email.as_str(), client_address(request));
    let permit = attempt.hashing_permit(&auth.password_hashing)?;
    let _lock = attempt.lock().await;
    let failed_before = db.read(async |conn| attempt.check_allowed(conn).await).await?;
    let right = passwords::verify(permit, old, known.password_hash.clone()).await?;
    remember(db, attempt.clone(), failed_before, right).await?;
    if !right {
        return Err(Error::SignInRefused);
    }
    let hash = passwords::hash(attempt.hashing_permit(&auth.password_hashing)?, new).await?;
    let changed = db.write(caller.author(), async move |conn| store(conn, &known, hash).await).await?;
    if changed { Ok(()) } else { Err(Error::SignInRefused) }
}

/// Stores a password, unless the account's access has changed since it was looked at.
async fn store(mut conn: &Conn, seen: &Credentials, password_hash: String) -> Result<bool> {
    use schema::accounts::dsl;
    let unchanged = dsl::accounts
        .find(seen.account.id)
        .filter(dsl::disabled.eq(false))
        .filter(dsl::access_changed_at.is_not_distinct_from(seen.access_changed_at));
    let update = diesel::update(unchanged).set(dsl::password_hash.eq(Some(password_hash)));
    Ok(update.execute(&mut conn).await? == 1)
}

async fn accept(request: &HttpRequest, db: &Db, auth: &Auth, invitation: String, new: String) -> Result<()> {
    let attempt = Attempt::new(INVITATIONS, client_address(request));
    let permit = attempt.hashing_permit(&auth.password_hashing)?;
    let _lock = attempt.lock().await;
    // Nobody guesses 256 bits: whose invitation is right does not wait for what others have tried.
    if !db.read(async |conn| invitations::is_live(conn, &invitation).await).await? {
        let failed_before = db.read(async |conn| attempt.check_allowed(conn).await).await?;
        remember(db, attempt, failed_before, false).await?;
        return Err(Error::InvitationRefused);
    }
    let hash = passwords::hash(permit, new).await?;
    let accept = async move |conn: &_| invitations::accept(conn, &invitation, hash).await;
    if db.write(Author::default(), accept).await? { Ok(()) } else { Err(Error::InvitationRefused) }
}
