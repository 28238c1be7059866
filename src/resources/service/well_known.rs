//! The well-known addresses of OAuth 2: the public keys and the metadata of the authorization server.

use actix_web::{HttpResponse, Responder, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::state::Auth,
    config::Config,
    http::{
        KnownParameters,
        openapi::responses::OpenProblems,
        output::json::{RESOURCE_SIZE, json},
    },
    registry::SCOPES,
};

/// Caches may keep the keys for a minute. A new key signs no earlier than a minute after it is published.
const CACHE_CONTROL: &str = "public, max-age=60";

/// Get the public keys
///
/// Returns the keys that verify access tokens, as a JSON Web Key Set (RFC 7517). The header of a token names its key with
/// `kid`.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The public keys", body = Object, example = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "…", "x": "…", "y": "…"}]})), OpenProblems),
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn get_jwks(_: KnownParameters, auth: Data<Auth>) -> impl Responder {
    json(HttpResponse::Ok().insert_header(("cache-control", CACHE_CONTROL)), &auth.tokens.keys().jwks(), RESOURCE_SIZE)
}

/// The metadata of the authorization server (RFC 8414, section 2).
#[derive(Serialize, ToSchema)]
#[schema(example = json!(Metadata::of("https://kuntatutorit.example")))]
pub(super) struct Metadata {
    /// The issuer of the tokens.
    issuer: String,
    /// The address at which partner systems get tokens.
    token_endpoint: String,
    /// The address of the public keys.
    jwks_uri: String,
    /// All scopes.
    scopes_supported: Vec<&'static str>,
    /// Empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// Only `client_credentials`.
    grant_types_supported: [&'static str; 1],
    /// The ways in which a client can authenticate at the token endpoint.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// The address of the documentation.
    service_documentation: String,
}

impl Metadata {
    /// Returns the metadata of a service with this public address.
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

/// Get the metadata of the authorization server
///
/// OAuth client libraries configure themselves with this metadata (RFC 8414).
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The metadata", body = Metadata), OpenProblems),
)]
#[get("/.well-known/oauth-authorization-server")]
pub(super) async fn get_oauth_metadata(_: KnownParameters, config: Data<Config>) -> impl Responder {
    let metadata = Metadata::of(&config.public_url);
    json(HttpResponse::Ok().insert_header(("cache-control", CACHE_CONTROL)), &metadata, RESOURCE_SIZE)
}
