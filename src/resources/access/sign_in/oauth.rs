//! The token endpoint for partner systems: OAuth 2 client credentials (RFC 6749, section 4.4), as any OAuth
//! client library speaks it.

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    http::{StatusCode, header},
    post,
    web::{Data, Payload},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    api::{TokenAnswer, remember},
    of_client,
};
use crate::{
    auth::{revocations::issue_at, state::Auth, throttle::Attempt, tokens::access_tokens::LIFETIME_SECONDS},
    db::{Db, time_limit::within_limit},
    http::input::{body::read_body, client_address::client_address},
    problem::{Error, body::too_many},
    resources::access::{clients, clients::model::StoredClient},
};

/// The media type of the request.
const FORM: &str = "application/x-www-form-urlencoded";
/// Room for every scope that there is, in bytes.
const LONGEST_SCOPE: usize = 1000;

/// The form of a token request; unknown parameters are ignored (RFC 6749, section 3.2).
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "events:read events:write"}))]
#[expect(dead_code, reason = "it documents the form, which is read parameter by parameter")]
pub(super) struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(max_length = 18, pattern = "^client_credentials$")]
    grant_type: String,
    /// What the token shall allow: names separated by spaces; all that the client may, when it is left out.
    #[schema(max_length = 1000)]
    scope: Option<String>,
    /// The client's id, unless it comes by HTTP Basic.
    #[schema(max_length = 200)]
    client_id: Option<String>,
    /// The client's secret, unless it comes by HTTP Basic.
    #[schema(format = Password, max_length = 200)]
    client_secret: Option<String>,
}

/// A failure as RFC 6749, section 5.2 has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"error": "invalid_client", "error_description": "the client or its secret is not known"}))]
pub(super) struct TokenProblem {
    /// Which failure it is.
    error: &'static str,
    /// What to do.
    error_description: &'static str,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<u32>,
}

const fn failure(status: StatusCode, error: &'static str, error_description: &'static str) -> TokenProblem {
    TokenProblem { error, error_description, status, retry_after: None }
}

const INVALID_REQUEST: TokenProblem = failure(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    "send a form (application/x-www-form-urlencoded) with each parameter once, and credentials in one way",
);
const UNSUPPORTED_GRANT: TokenProblem =
    failure(StatusCode::BAD_REQUEST, "unsupported_grant_type", "the only grant_type here is client_credentials");
const INVALID_SCOPE: TokenProblem =
    failure(StatusCode::BAD_REQUEST, "invalid_scope", "ask only for scopes that the client was given");
const INVALID_CLIENT: TokenProblem =
    failure(StatusCode::UNAUTHORIZED, "invalid_client", "the client or its secret is not known");

impl std::fmt::Display for TokenProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.error)
    }
}

impl ResponseError for TokenProblem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"kuntatutorit\""));
        }
        if let Some(seconds) = self.retry_after {
            too_many(&mut response, seconds);
        }
        response.json(self)
    }
}

impl From<Error> for TokenProblem {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyRequests(seconds) => Self {
                retry_after: Some(seconds),
                ..failure(
                    StatusCode::TOO_MANY_REQUESTS,
                    "invalid_request",
                    "too many failures; wait as Retry-After says",
                )
            },
            Error::Unavailable => Self {
                retry_after: Some(1),
                ..failure(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "temporarily_unavailable",
                    "the database is away; try again in a moment",
                )
            },
            other => {
                tracing::error!(error = ?other, "token request failed: internal error");
                failure(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong on our side")
            }
        }
    }
}

/// Get a token as a partner system
///
/// The OAuth 2 client credentials grant (RFC 6749, section 4.4): any OAuth client library works. The credentials come
/// by HTTP Basic or in the form. Failures are as RFC 6749 says, not problem details.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body(content_type = "application/x-www-form-urlencoded", content = TokenRequest),
    responses(
        (status = 200, description = "An access token", body = TokenAnswer),
        (status = 400, description = "The request is not right", body = TokenProblem),
        (status = 401, description = "The client or its secret is not known", body = TokenProblem),
        (status = 408, description = "The form came too slowly", body = crate::problem::body::Problem, content_type = "application/problem+json"),
        (status = 413, description = "The form is too large", body = crate::problem::body::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many failures; wait as `Retry-After` says", body = TokenProblem,
            headers(("Retry-After" = i32, description = "Seconds to wait"),
                ("RateLimit" = String, description = "What is left, and in how many seconds it is full again"),
                ("RateLimit-Policy" = String, description = "How many tries are let through in how many seconds"))),
        (status = 500, description = "Our fault", body = TokenProblem),
        (status = 503, description = "The database is away", body = TokenProblem),
    ),
)]
#[post("/v1/auth/token")]
pub(super) async fn issue_token(
    request: HttpRequest,
    payload: Payload,
    db: Data<Db>,
    auth: Data<Auth>,
) -> Result<impl Responder, actix_web::Error> {
    let body = read_body(&request, payload.into_inner(), &[FORM]).await.map_err(|error| match error {
        Error::PayloadTooLarge(_) | Error::BodyTimeout => actix_web::Error::from(error),
        _ => INVALID_REQUEST.into(),
    })?;
    let form = Form::read(&body)?;
    let (id, secret) = credentials(&request, &form)?;
    if form.get("grant_type") != Some("client_credentials") {
        return Err(if form.get("grant_type").is_some() { UNSUPPORTED_GRANT } else { INVALID_REQUEST }.into());
    }
    let (client, read_at) = within_limit(sign_in(&request, &db, &id, secret)).await?;
    let scope = granted(&client, form.get("scope"))?;
    let grant = of_client(&client, scope);
    let issued = auth.tokens.issue(&grant, issue_at(client.access_changed_at, read_at));
    let access_token = issued.map_err(|error| TokenProblem::from(Error::Internal(error.into())))?;
    Ok(TokenAnswer { access_token, token_type: "Bearer", expires_in: LIFETIME_SECONDS, scope: grant.scope })
}

/// The client, and when it was read by PostgreSQL's clock.
async fn sign_in(
    request: &HttpRequest,
    db: &Db,
    id: &str,
    secret: String,
) -> Result<(StoredClient, DateTime<Utc>), TokenProblem> {
    let id = Uuid::try_parse(id).map_err(|_| INVALID_CLIENT)?;
    let attempt = Attempt::new(&id.to_string(), client_address(request));
    let _turn = attempt.turn().await;
    let (failed_before, client) = db
        .read(async |conn| match clients::secrets::authenticate(conn, id, &secret).await? {
            // Nobody guesses 256 bits: whose secret is right does not wait for what others have tried.
            Some(client) => Ok((attempt.admit(conn).await.unwrap_or(true), Some(client))),
            None => Ok((attempt.admit(conn).await?, None)),
        })
        .await?;
    remember(db, attempt, failed_before, client.is_some()).await?;
    client.ok_or(INVALID_CLIENT)
}

/// The scopes asked for, all of the client's when none are: each must be one that the client was given.
fn granted(client: &StoredClient, asked: Option<&str>) -> Result<String, TokenProblem> {
    let Some(asked) = asked else { return Ok(client.fields.scopes.join(" ")) };
    if asked.len() > LONGEST_SCOPE {
        return Err(INVALID_SCOPE);
    }
    let asked: Vec<_> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    let all_held = asked.iter().all(|scope| client.fields.scopes.iter().any(|held| held == scope));
    if all_held && !asked.is_empty() { Ok(asked.join(" ")) } else { Err(INVALID_SCOPE) }
}

/// The parameters of the form, each at most once (RFC 6749, section 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, TokenProblem> {
        if std::str::from_utf8(body).is_err() {
            return Err(INVALID_REQUEST);
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort();
        if names.windows(2).any(|two| two[0] == two[1]) { Err(INVALID_REQUEST) } else { Ok(Self(pairs)) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// The client's id and secret: by HTTP Basic or in the form, never both (RFC 6749, section 2.3).
fn credentials(request: &HttpRequest, form: &Form) -> Result<(String, String), TokenProblem> {
    let in_form = (form.get("client_id"), form.get("client_secret"));
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    match (headers.next(), headers.next(), in_form) {
        (Some(_), Some(_), _) | (Some(_), None, (_, Some(_))) => Err(INVALID_REQUEST),
        (Some(value), None, (in_form, None)) => {
            let (id, secret) = value.to_str().ok().and_then(basic).ok_or(INVALID_CLIENT)?;
            if in_form.is_none_or(|form| form == id) { Ok((id, secret)) } else { Err(INVALID_REQUEST) }
        }
        (None, _, (Some(id), Some(secret))) => Ok((id.to_owned(), secret.to_owned())),
        (None, ..) => Err(INVALID_CLIENT),
    }
}

/// Both parts come form-encoded inside of the Basic header (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let part = |text: &str| {
        url::form_urlencoded::parse(format!("part={text}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    (scheme.eq_ignore_ascii_case("basic")).then_some((part(id)?, part(secret)?))
}
