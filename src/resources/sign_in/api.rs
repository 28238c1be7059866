//! Signing in with e-mail and password, and who one is.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, get, post, web::Data};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::of_account;
use crate::{
    auth::{
        Auth, Caller, passwords,
        reach::{Identity, Role},
        revocations::issue_at,
        scopes::AnyScope,
        throttle::Attempt,
        tokens::LIFETIME_SECONDS,
    },
    config::Config,
    db::{Author, Db, types::words},
    http::{
        Body, Json,
        client_address::client_address,
        document::{LoginProblems, MeProblems},
    },
    problem::{Error, Result},
    resources::{accounts, clients},
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
        HttpResponse::Ok().insert_header(("cache-control", "no-store")).insert_header(("pragma", "no-cache")).json(self)
    }
}

/// Sign in
///
/// With e-mail address and password. A known and an unknown account answer alike. After five failures for one
/// account from one address, that address waits: 429 with `Retry-After`.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "An access token", body = TokenAnswer), LoginProblems),
)]
#[post("/v1/auth/login")]
pub(super) async fn login(
    request: HttpRequest,
    Json(login): Json<Login>,
    db: Data<Db>,
    auth: Data<Auth>,
    config: Data<Config>,
) -> Result<TokenAnswer> {
    let attempt = Attempt::new(&login.email.trim().to_lowercase(), client_address(&request));
    let (failed_before, account) = db
        .read(async |conn| {
            let failed_before = attempt.admit(conn).await?;
            Ok((failed_before, accounts::store::find_by_email(conn, &login.email).await?))
        })
        .await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = passwords::verify(login.password, stored).await?;
    let account = account.filter(|account| right && !account.disabled);
    remember(&db, attempt, failed_before, account.is_some()).await?;
    let account = account.ok_or(Error::SignInRefused)?;
    let grant = of_account(&account, &config);
    let issued = auth.tokens.issue(&grant, issue_at(account.access_changed_at));
    let access_token = issued.map_err(|error| Error::Internal(error.into()))?;
    Ok(TokenAnswer { access_token, token_type: "Bearer", expires_in: LIFETIME_SECONDS, scope: grant.scope })
}

/// Keeps the count of failures in step with how a sign-in went.
pub(super) async fn remember(db: &Db, attempt: Attempt, failed_before: bool, succeeded: bool) -> Result<()> {
    match (succeeded, failed_before) {
        (true, false) => Ok(()),
        (true, true) => db.write(Author::default(), async move |conn| attempt.succeeded(conn).await).await,
        (false, _) => db.write(Author::default(), async move |conn| attempt.failed(conn).await).await,
    }
}

words! {
    /// What kind of caller one is.
    pub enum CallerKind {
        /// A person.
        Account = "account",
        /// A partner system.
        Client = "client",
    }
}

/// Who the token speaks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "account", "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "role": "municipality",
    "email": "digituki@example.org", "name": null, "source": "kuntatutorit", "municipality_code": "049", "tutor_id": null
}))]
pub(super) struct Me {
    /// A person or a partner system.
    kind: CallerKind,
    /// The account's or the client's id.
    id: Uuid,
    /// What it is to the network.
    role: Role,
    /// The account's e-mail address.
    email: Option<String>,
    /// The client's name.
    name: Option<String>,
    /// The `source` of all that it makes.
    source: String,
    /// The municipality that it writes for; null for the whole region.
    municipality_code: Option<String>,
    /// The tutor that it is.
    tutor_id: Option<Uuid>,
}

/// Who am I?
///
/// The account or the client that the token speaks for.
#[utoipa::path(
    tag = "sign-in",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = Me), MeProblems),
)]
#[get("/v1/me")]
pub(super) async fn get_me(caller: Caller<AnyScope>, db: Data<Db>) -> Result<actix_web::web::Json<Me>> {
    let source = caller.reach.identity.source().to_owned();
    let me = match &caller.reach.identity {
        Identity::Account(id) => {
            let account = db.read(async |conn| accounts::store::find(conn, *id).await).await?;
            Me {
                kind: CallerKind::Account,
                id: account.id,
                role: account.role,
                email: Some(account.email),
                name: None,
                source,
                municipality_code: account.municipality_code,
                tutor_id: account.tutor_id,
            }
        }
        Identity::Client { id, .. } => {
            let client = db.read(async |conn| clients::store::find(conn, *id).await).await?;
            Me {
                kind: CallerKind::Client,
                id: client.id,
                role: Role::Partner,
                email: None,
                name: Some(client.name),
                source,
                municipality_code: client.municipality_code,
                tutor_id: None,
            }
        }
        Identity::Anonymous => return Err(Error::Unauthenticated),
    };
    Ok(actix_web::web::Json(me))
}
