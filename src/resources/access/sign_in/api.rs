//! Signing in with e-mail and password, going on without them, and signing out.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, post, web::Data};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{of_account, sessions, sessions::Session};
use crate::{
    admission::Permit,
    auth::{passwords, state::Auth, throttle::Attempt, tokens::access_tokens::LIFETIME_SECONDS},
    config::Config,
    db::{Author, Db, time_limit::within_limit},
    http::{
        Body, Json, KnownParameters, NoContent,
        input::client_address::client_address,
        openapi::responses::{LoginProblems, LogoutProblems, RefreshProblems},
    },
    problem::{Error, Result},
    resources::access::accounts,
};

/// E-mail address and password.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({"email": "coordinator@example.org", "password": "correct horse battery staple"}))]
pub(super) struct Login {
    /// The account's e-mail address, in any case.
    #[garde(length(chars, min = 3, max = 254))]
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// The account's password.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, format = Password)]
    password: String,
}

impl Body for Login {}

/// An access token.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ0eXAi…", "token_type": "Bearer", "expires_in": 600, "scope": "events:read events:write"}))]
pub(super) struct TokenAnswer {
    /// Send it as `Authorization: Bearer …`; it is opaque to you (a JWT in the profile of RFC 9068).
    pub(super) access_token: String,
    /// Always `Bearer`.
    pub(super) token_type: &'static str,
    /// For how many seconds it is good.
    #[schema(minimum = 1)]
    pub(super) expires_in: u64,
    /// What it allows: names separated by spaces.
    pub(super) scope: String,
}

impl Responder for TokenAnswer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        unstored(&self)
    }
}

/// An access token and what the next one is got with.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAi…", "token_type": "Bearer", "expires_in": 600, "scope": "events:read events:write",
    "refresh_token": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"
}))]
pub(super) struct SessionAnswer {
    /// The access token.
    #[serde(flatten)]
    token: TokenAnswer,
    /// Good once, at `POST /v1/auth/refresh`, until 30 days after signing in at most.
    refresh_token: String,
}

impl Responder for SessionAnswer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        unstored(&self)
    }
}

/// Tokens are kept nowhere on their way (RFC 6749, section 5.1).
fn unstored(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).insert_header(("pragma", "no-cache")).json(answer)
}

fn answer(session: Session, auth: &Auth, config: &Config) -> Result<SessionAnswer> {
    let grant = of_account(&session.account, config);
    let access_token = auth.tokens.issue(&grant, session.issued_at).map_err(|error| Error::Internal(error.into()))?;
    let token = TokenAnswer { access_token, token_type: "Bearer", expires_in: LIFETIME_SECONDS, scope: grant.scope };
    Ok(SessionAnswer { token, refresh_token: session.refresh_token })
}

/// Sign in
///
/// With e-mail address and password. A known and an unknown account answer alike. After five failures for one
/// account from one address, that address waits: 429 with `Retry-After`.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "An access token and a refresh token", body = SessionAnswer), LoginProblems),
)]
#[post("/v1/auth/login")]
pub(super) async fn login(
    _: KnownParameters,
    request: HttpRequest,
    Json(login): Json<Login>,
    db: Data<Db>,
    auth: Data<Auth>,
    config: Data<Config>,
) -> Result<SessionAnswer> {
    let attempt = Attempt::new(&login.email.trim().to_lowercase(), client_address(&request));
    let permit = attempt.hashing_permit(&auth.password_hashing)?;
    answer(within_limit(sign_in(&db, attempt, permit, login)).await?, &auth, &config)
}

async fn sign_in(db: &Db, attempt: Attempt, permit: Permit<String>, given: Login) -> Result<Session> {
    let _lock = attempt.lock().await;
    let (failed_before, known) = db
        .read(async |conn| {
            let failed_before = attempt.check_allowed(conn).await?;
            Ok((failed_before, accounts::store::find_by_email(conn, &given.email).await?))
        })
        .await?;
    let stored = known.as_ref().and_then(|known| known.password_hash.clone());
    let right = passwords::verify(permit, given.password, stored).await?;
    let known = known.filter(|known| right && !known.account.fields.disabled);
    remember(db, attempt, failed_before, known.is_some()).await?;
    let known = known.ok_or(Error::SignInRefused)?;
    let session = db.write(Author::default(), async move |conn| sessions::start(conn, &known).await).await?;
    session.ok_or(Error::SignInRefused)
}

/// A refresh token.
#[derive(Deserialize, ToSchema, Validate)]
#[schema(example = json!({"refresh_token": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"}))]
pub(super) struct RefreshToken {
    /// The one that the last answer had.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    refresh_token: String,
}

impl Body for RefreshToken {}

/// Get the next access token
///
/// With a refresh token, which is good once: the answer has its successor. One that is used again ends the whole
/// session, since somebody else may have it; but within ten seconds of its first use it is only refused, since two
/// browser tabs are not a theft. Whatever the cause, the refusal is the same.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "An access token and the next refresh token", body = SessionAnswer),
        RefreshProblems),
)]
#[post("/v1/auth/refresh")]
pub(super) async fn refresh(
    _: KnownParameters,
    Json(body): Json<RefreshToken>,
    db: Data<Db>,
    auth: Data<Auth>,
    config: Data<Config>,
) -> Result<SessionAnswer> {
    let rotate = async move |conn: &_| sessions::rotate(conn, &body.refresh_token).await;
    let session = db.write(Author::default(), rotate).await?;
    answer(session.ok_or(Error::RefreshRefused)?, &auth, &config)
}

/// Sign out
///
/// Ends the session of a refresh token, used or not; 204 also when there is none, so that it can be sent again and takes
/// no `Idempotency-Key`. The access token that you have lives its ten minutes out: forget it.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 204, description = "The session has ended"), LogoutProblems),
)]
#[post("/v1/auth/logout")]
pub(super) async fn logout(_: KnownParameters, Json(body): Json<RefreshToken>, db: Data<Db>) -> Result<NoContent> {
    db.write(Author::default(), async move |conn| sessions::end(conn, &body.refresh_token).await).await?;
    Ok(NoContent)
}

/// Keeps the count of failures in step with how a sign-in went.
pub(super) async fn remember(db: &Db, attempt: Attempt, failed_before: bool, succeeded: bool) -> Result<()> {
    match (succeeded, failed_before) {
        (true, false) => Ok(()),
        (true, true) => db.write(Author::default(), async move |conn| attempt.clear_failures(conn).await).await,
        (false, _) => db.write(Author::default(), async move |conn| attempt.record_failure(conn).await).await,
    }
}
