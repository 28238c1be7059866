//! What clients of OAuth 2 look up: the keys and the metadata of the authorization server.

use actix_web::{HttpResponse, Responder, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::state::Auth,
    config::Config,
    http::{KnownParameters, openapi::responses::OpenProblems},
    registry::SCOPES,
};

/// How long the keys may be kept by a cache, in seconds: a new key is published before it is old enough to matter.
const CACHED: &str = "public, max-age=60";

/// The keys that access tokens are signed with
///
/// A JSON Web Key Set (RFC 7517); the one with a token's `kid` verifies it.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The public keys", body = Object, example = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "…", "x": "…", "y": "…"}]})), OpenProblems),
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn get_jwks(_: KnownParameters, auth: Data<Auth>) -> impl Responder {
    HttpResponse::Ok().insert_header(("cache-control", CACHED)).json(auth.tokens.keys().jwks())
}

/// The authorization server's metadata (RFC 8414, section 2).
#[derive(Serialize, ToSchema)]
#[schema(example = json!(Metadata::of("https://kuntatutorit.example")))]
pub(super) struct Metadata {
    /// The issuer of the tokens.
    issuer: String,
    /// Where partner systems get tokens.
    token_endpoint: String,
    /// Where the keys are.
    jwks_uri: String,
    /// Every scope.
    scopes_supported: Vec<&'static str>,
    /// None: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// `client_credentials`.
    grant_types_supported: [&'static str; 1],
    /// How a client can authenticate at the token endpoint.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// Where the documentation is.
    service_documentation: String,
}

impl Metadata {
    /// Of the service that callers reach here.
    fn of(base: &str) -> Self {
        Self {
            issuer: base.to_owned(),
            token_endpoint: format!("{base}/v1/auth/token"),
            jwks_uri: format!("{base}/.well-known/jwks.json"),
            scopes_supported: SCOPES.iter().map(|scope| scope.name).collect(),
            response_types_supported: [],
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
            service_documentation: format!("{base}/docs/"),
        }
    }
}

/// The authorization server
///
/// Its metadata (RFC 8414): OAuth client libraries configure themselves from it.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The metadata", body = Metadata), OpenProblems),
)]
#[get("/.well-known/oauth-authorization-server")]
pub(super) async fn get_oauth_metadata(_: KnownParameters, config: Data<Config>) -> impl Responder {
    HttpResponse::Ok().insert_header(("cache-control", CACHED)).json(Metadata::of(&config.public_url))
}
