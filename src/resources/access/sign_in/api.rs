//! Signing in with e-mail address and password, continuing the session, and signing out.

use actix_web::{HttpRequest, post, web::Data};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    attempts::record_outcome,
    grant::grant_of_account,
    sessions::{self, Session},
    token_response::{SessionResponse, TokenResponse},
};
use crate::{
    auth::{
        passwords::{self, Outcome},
        state::Auth,
        throttle::Attempt,
    },
    config::Config,
    db::{Author, Db, time_limit::within_limit},
    http::{
        Body, Json, KnownParameters, NoContent,
        input::client_address::client_address,
        openapi::responses::{LoginProblems, LogoutProblems, RefreshProblems},
    },
    problem::{Error, Result},
    resources::access::{accounts, accounts::model::normalize_email},
};

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({"email": "coordinator@example.org", "password": "correct horse battery staple"}))]
pub(super) struct Login {
    /// The e-mail address of the account, in any case.
    #[garde(length(chars, min = 3, max = 254))]
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// The password of the account.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, format = Password)]
    password: String,
}

impl Body for Login {}

/// Sign in
///
/// Starts a session with the e-mail address and the password of an account. The response does not reveal whether an account
/// exists. After five failures in a row for one account from one address, further attempts from that address get 429 with
/// `Retry-After`. After a hundred failures for one account from all addresses together, so do attempts from addresses from
/// which nobody has signed in during the last 90 days.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "An access token and a refresh token", body = SessionResponse), LoginProblems),
)]
#[post("/v1/auth/login")]
pub(super) async fn login(
    _: KnownParameters,
    request: HttpRequest,
    Json(body): Json<Login>,
    db: Data<Db>,
    auth: Data<Auth>,
    config: Data<Config>,
) -> Result<SessionResponse> {
    let attempt = Attempt::for_account(&normalize_email(&body.email), client_address(&request));
    respond(within_limit(Box::pin(sign_in(&db, &auth, attempt, body))).await?, &auth, &config)
}

async fn sign_in(db: &Db, auth: &Auth, attempt: Attempt, body: Login) -> Result<Session> {
    let place = attempt.place(db, &auth.hashing_places).await?;
    let _lock = attempt.lock().await;
    let (standing, account) = db
        .read(async |conn| {
            let standing = attempt.check_allowed(conn).await?;
            Ok((standing, accounts::store::find_by_email(conn, &body.email).await?))
        })
        .await?;
    let (place, address) = (place.known(standing.is_known), attempt.address());
    let stored_hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let outcome = passwords::verify(place, body.password, stored_hash).await?;
    let account = account.filter(|known| outcome != Outcome::Wrong && !known.account.fields.disabled);
    record_outcome(db, &auth.failures, attempt, standing.failed_before, account.is_some()).await?;
    let account = account.ok_or(Error::SignInRefused)?;
    let start = async move |conn: &_| {
        if let Outcome::CorrectAsSent(hash) = outcome {
            accounts::store::store_hash_again(conn, &account, hash).await?;
        }
        sessions::start(conn, &account, address).await
    };
    let session = db.write(Author::default(), start).await?;
    session.ok_or(Error::SignInRefused)
}

fn respond(session: Session, auth: &Auth, config: &Config) -> Result<SessionResponse> {
    let token = TokenResponse::issue(auth, grant_of_account(&session.account, config), session.issued_at)?;
    Ok(SessionResponse { token, refresh_token: session.refresh_token })
}

/// A refresh token.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({"refresh_token": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"}))]
pub(super) struct RefreshToken {
    /// The refresh token of the last response.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    refresh_token: String,
}

impl Body for RefreshToken {}

/// Get the next access token
///
/// Continues a session. A refresh token can be used only once; the response has the next one. When a refresh token is used
/// again, somebody may have stolen it, so the whole session ends. Within ten seconds of its first use it is only refused,
/// because two browser tabs may have sent it at the same time. The response is the same in both cases.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "An access token and the next refresh token", body = SessionResponse),
        RefreshProblems),
)]
#[post("/v1/auth/refresh")]
pub(super) async fn refresh(
    _: KnownParameters,
    Json(body): Json<RefreshToken>,
    db: Data<Db>,
    auth: Data<Auth>,
    config: Data<Config>,
) -> Result<SessionResponse> {
    if !db.read(async |conn| sessions::has_token(conn, &body.refresh_token).await).await? {
        return Err(Error::RefreshRefused);
    }
    let rotate = async move |conn: &_| sessions::rotate(conn, &body.refresh_token).await;
    let session = db.write(Author::default(), rotate).await?;
    respond(session.ok_or(Error::RefreshRefused)?, &auth, &config)
}

/// Sign out
///
/// Ends the session of a refresh token, even if the token was already used. If there is no such session, the operation also
/// returns 204, so you can safely send the request again; it takes no `Idempotency-Key`. An access token of the session
/// stays valid until it expires, for at most ten minutes, so delete it.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 204, description = "The session has ended"), LogoutProblems),
)]
#[post("/v1/auth/logout")]
pub(super) async fn logout(_: KnownParameters, Json(body): Json<RefreshToken>, db: Data<Db>) -> Result<NoContent> {
    if db.read(async |conn| sessions::has_token(conn, &body.refresh_token).await).await? {
        db.write(Author::default(), async move |conn| sessions::end(conn, &body.refresh_token).await).await?;
    }
    Ok(NoContent)
}
