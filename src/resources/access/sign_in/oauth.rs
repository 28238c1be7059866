//! The token endpoint for partner systems: the OAuth 2 client credentials grant (RFC 6749, section 4.4).

use actix_web::{
    HttpRequest, Responder, post,
    web::{Data, Payload},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    attempts::record_wrong_secret,
    grant::grant_of_client,
    token_form::{TokenForm, TokenRequest, credentials},
    token_problem::{INVALID_CLIENT, INVALID_REQUEST, INVALID_SCOPE, TokenProblem, UNSUPPORTED_GRANT},
    token_response::TokenResponse,
};
use crate::{
    auth::{revocations::issue_at, state::Auth, throttle::Attempt},
    db::{Db, time_limit::within_limit},
    http::input::{body::read_body, client_address::client_address, json_text::without_bom},
    problem::Error,
    resources::access::{clients, clients::model::StoredClient},
};

/// The media type of a token request.
const FORM: &str = "application/x-www-form-urlencoded";
/// The longest `scope` in bytes. All scopes of the service fit.
const MAX_SCOPE_BYTES: usize = 1000;

/// The subject under which failed attempts with client secrets are counted. No e-mail address has a NUL.
const CLIENT_SECRETS: &str = "\0client";

/// Get a token as a partner system
///
/// Issues an access token for a client, by the OAuth 2 client credentials grant (RFC 6749, section 4.4). Any OAuth client
/// library works. Send the credentials by HTTP Basic or in the form. Errors have the format of RFC 6749, not of problem
/// details.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body(content_type = "application/x-www-form-urlencoded", content = TokenRequest),
    responses(
        (status = 200, description = "An access token", body = TokenResponse),
        (status = 400, description = "The request is malformed", body = TokenProblem),
        (status = 401, description = "The client id or the secret is wrong, or the client is disabled", body = TokenProblem),
        (status = 408, description = "The form arrived too slowly", body = crate::problem::body::Problem, content_type = "application/problem+json"),
        (status = 413, description = "The form is too large", body = crate::problem::body::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts (RFC 6749), or too many requests (problem details): wait for as many seconds as `Retry-After` says",
            content((TokenProblem = "application/json"), (crate::problem::body::Problem = "application/problem+json")),
            headers(("Retry-After" = i32, description = "The number of seconds to wait"),
                ("RateLimit" = String, description = "The name of the limit, how much of it is left (r), and the seconds until it is whole again (t)"),
                ("RateLimit-Policy" = String, description = "The name of the limit, how much is allowed (q), and within how many seconds (w)"))),
        (status = 500, description = "The service failed", body = TokenProblem),
        (status = 503, description = "The service cannot reach its database", body = TokenProblem),
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
        Error::UnsupportedEncoding { .. } => TokenProblem::of_encoding(&error).into(),
        _ => INVALID_REQUEST.into(),
    })?;
    let form = TokenForm::parse(without_bom(&body))?;
    let (id, secret) = credentials(&request, &form)?;
    if form.get("grant_type") != Some("client_credentials") {
        return Err(if form.get("grant_type").is_some() { UNSUPPORTED_GRANT } else { INVALID_REQUEST }.into());
    }
    let (client, read_at) = within_limit(Box::pin(sign_in(&request, &db, &auth, &id, secret))).await?;
    let scope = granted(&client, form.get("scope"))?;
    let issued_at = issue_at(client.access_changed_at, read_at);
    let token = TokenResponse::issue(&auth, grant_of_client(&client, scope), issued_at);
    Ok(token.map_err(TokenProblem::from)?)
}

/// Returns the client with these credentials, and the time at which it was read, by PostgreSQL's clock.
async fn sign_in(
    request: &HttpRequest,
    db: &Db,
    auth: &Auth,
    id: &str,
    secret: String,
) -> Result<(StoredClient, DateTime<Utc>), TokenProblem> {
    let id = Uuid::try_parse(id).map_err(|_| INVALID_CLIENT)?;
    // A correct secret is accepted even after many failed attempts, because nobody can guess 256 bits.
    let client = db.read(async |conn| clients::secrets::authenticate(conn, id, &secret).await).await?;
    if client.is_none() {
        let attempt = Attempt::with_secret(CLIENT_SECRETS, client_address(request));
        record_wrong_secret(db, &auth.failures, &attempt).await?;
    }
    client.ok_or(INVALID_CLIENT)
}

/// Returns the requested scopes, or all scopes of the client if it requested none. The client must have each requested
/// scope.
fn granted(client: &StoredClient, requested: Option<&str>) -> Result<String, TokenProblem> {
    let Some(requested) = requested else { return Ok(client.fields.scopes.join(" ")) };
    if requested.len() > MAX_SCOPE_BYTES {
        return Err(INVALID_SCOPE);
    }
    let requested: Vec<_> = requested.split(' ').filter(|scope| !scope.is_empty()).collect();
    let has_all = requested.iter().all(|scope| client.fields.scopes.iter().any(|held| held == scope));
    if has_all && !requested.is_empty() { Ok(requested.join(" ")) } else { Err(INVALID_SCOPE) }
}
