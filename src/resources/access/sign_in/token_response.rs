//! The responses that contain tokens.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{
        state::Auth,
        tokens::{access_tokens::LIFETIME_SECONDS, claims::Grant},
    },
    http::output::json::{RESOURCE_SIZE, json},
    problem::{Error, Result},
};

/// An access token.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ0eXAi…", "token_type": "Bearer", "expires_in": 600, "scope": "events:read events:write"}))]
pub(super) struct TokenResponse {
    /// The access token. Send it as `Authorization: Bearer …`. Its content is not part of this API.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// The number of seconds until the access token expires.
    #[schema(minimum = 1)]
    expires_in: u64,
    /// The scopes of the access token, separated by spaces.
    scope: String,
}

/// An access token and a refresh token.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAi…", "token_type": "Bearer", "expires_in": 600, "scope": "events:read events:write",
    "refresh_token": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"
}))]
pub(super) struct SessionResponse {
    #[serde(flatten)]
    pub(super) token: TokenResponse,
    /// The refresh token. Send it once to `POST /v1/auth/refresh` to get the next access token. The session ends 30 days
    /// after signing in.
    pub(super) refresh_token: String,
}

impl TokenResponse {
    /// Issues an access token with this issue time.
    pub(super) fn issue(auth: &Auth, grant: Grant, issued_at: DateTime<Utc>) -> Result<Self> {
        let access_token = auth.tokens.issue(&grant, issued_at).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { access_token, token_type: "Bearer", expires_in: LIFETIME_SECONDS, scope: grant.scope })
    }
}

impl Responder for TokenResponse {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        without_caching(&self)
    }
}

impl Responder for SessionResponse {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        without_caching(&self)
    }
}

/// Responds so that no cache stores the tokens (RFC 6749, section 5.1).
fn without_caching(body: &impl Serialize) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("cache-control", "no-store")).insert_header(("pragma", "no-cache"));
    json(&mut response, body, RESOURCE_SIZE)
}
