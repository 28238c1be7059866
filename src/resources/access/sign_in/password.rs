//! Setting a password, with the old password or with an invitation.

use actix_web::{HttpRequest, post, web::Data};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::attempts::{record_outcome, record_wrong_secret};
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
    schema::accounts::dsl,
};

/// The subject under which failed attempts with invitations are counted. No e-mail address has a NUL.
const INVITATIONS: &str = "\0invitation";

/// A new password, with the old password or an invitation.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({
    "invitation": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ", "new_password": "correct horse battery staple"
}))]
pub(super) struct PasswordChange {
    /// The current password. Send it with an access token of the account, or send `invitation` instead.
    #[garde(inner(length(chars, min = 1, max = 200)), custom(instead_of_other(self.invitation.is_some())))]
    #[schema(min_length = 1, max_length = 200, format = Password)]
    old_password: Option<String>,
    /// The one-time secret that the coordinator handed over. Send it without an access token, or send `old_password`
    /// instead.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 200)]
    invitation: Option<String>,
    /// The new password. Its form does not matter: it is normalised as RFC 8265 says, here and when it is used.
    #[garde(length(chars, min = *passwords::LENGTH.start(), max = *passwords::LENGTH.end()), custom(long_enough))]
    #[schema(min_length = 10, max_length = 200, format = Password)]
    new_password: String,
}

impl Body for PasswordChange {}

/// Checks that the request has exactly one of two fields.
fn instead_of_other(is_other_sent: bool) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |field, ()| {
        if field.is_some() == is_other_sent {
            return Err(garde::Error::new("one_of|send either old_password or invitation"));
        }
        Ok(())
    }
}

fn long_enough(password: &str, (): &()) -> garde::Result {
    if password.chars().count() < *passwords::LENGTH.start() || passwords::has_allowed_length(password) {
        return Ok(());
    }
    let least = passwords::LENGTH.start();
    Err(garde::Error::new(format!("too_short|must have at least {least} characters in its composed form (NFC)")))
}

/// Set a password
///
/// Sets the password of an account. Send either the old password and an access token of the account, or an invitation and
/// no token. All sessions of the account end and its access tokens are refused, so sign in again. Failures count like those
/// of `POST /v1/auth/login`. The operation takes no `Idempotency-Key`, because the service stores no responses to requests
/// with secrets. If you did not get the response, sign in with the new password: if that is refused, the password was not
/// set.
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
        (_, Some(invitation)) => {
            within_limit(Box::pin(accept(&request, &db, &auth, invitation, body.new_password))).await?;
        }
        (Some(old), None) => {
            within_limit(Box::pin(change(&request, &db, &auth, caller?, old, body.new_password))).await?;
        }
        (None, None) => return Err(Error::SignInRefused),
    }
    Ok(NoContent)
}

async fn change(
    request: &HttpRequest,
    db: &Db,
    auth: &Auth,
    caller: Caller<AnyScope>,
    old_password: String,
    new_password: String,
) -> Result<()> {
    let Identity::Account(id) = caller.reach.identity else {
        let detail = "a client has no password; ask the coordinator to change its secrets";
        return Err(Error::OutOfReach(detail.to_owned()));
    };
    let credentials = match db.read(async |conn| accounts::store::credentials(conn, id).await).await {
        Err(Error::NotFound) => return Err(Error::Unauthenticated),
        found => found?,
    };
    let attempt = Attempt::for_account(credentials.account.fields.email.as_str(), client_address(request));
    let place = attempt.place(db, &auth.hashing_places).await?;
    let _lock = attempt.lock().await;
    let standing = db.read(async |conn| attempt.check_allowed(conn).await).await?;
    let place = place.known(standing.is_known);
    let outcome = passwords::verify(place, old_password, credentials.password_hash.clone()).await?;
    let is_correct = outcome != passwords::Outcome::Wrong;
    record_outcome(db, &auth.failures, attempt.clone(), standing.failed_before, is_correct).await?;
    if !is_correct {
        return Err(Error::SignInRefused);
    }
    let hash = passwords::hash(attempt.place_of_known(&auth.hashing_places)?, new_password).await?;
    let is_stored = db.write(caller.author(), async move |conn| store(conn, &credentials, hash).await).await?;
    if is_stored { Ok(()) } else { Err(Error::SignInRefused) }
}

/// Stores a password, unless the access of the account has changed since its credentials were read. Returns whether it was
/// stored.
async fn store(mut conn: &Conn, read: &Credentials, password_hash: String) -> Result<bool> {
    let unchanged = dsl::accounts
        .find(read.account.id)
        .filter(dsl::disabled.eq(false))
        .filter(dsl::access_changed_at.is_not_distinct_from(read.access_changed_at));
    let update = diesel::update(unchanged).set(dsl::password_hash.eq(Some(password_hash)));
    Ok(update.execute(&mut conn).await? == 1)
}

async fn accept(request: &HttpRequest, db: &Db, auth: &Auth, invitation: String, new_password: String) -> Result<()> {
    let attempt = Attempt::with_secret(INVITATIONS, client_address(request));
    // A valid invitation is accepted even after many failed attempts, because nobody can guess 256 bits.
    if !db.read(async |conn| invitations::is_usable(conn, &invitation).await).await? {
        record_wrong_secret(db, &auth.failures, &attempt).await?;
        return Err(Error::InvitationRefused);
    }
    let hash = passwords::hash(attempt.place_of_known(&auth.hashing_places)?, new_password).await?;
    let from = attempt.address();
    let accept = async move |conn: &_| invitations::accept(conn, &invitation, hash, from).await;
    if db.write(Author::default(), accept).await? { Ok(()) } else { Err(Error::InvitationRefused) }
}
