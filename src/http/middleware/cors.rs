//! CORS: what the pages of other origins may do.

use std::collections::BTreeSet;

use actix_cors::{Cors, CorsError};
use actix_web::{
    HttpRequest,
    http::{Method, header},
};

use crate::{config::Config, problem::Error};

/// The methods of requests from other origins.
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
/// The headers of requests from other origins.
const HEADERS: [&str; 9] = [
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "x-request-id",
    // Pages that trace their requests send these (W3C Trace Context, W3C Baggage).
    "traceparent",
    "tracestate",
    "baggage",
];
/// The maximum number of headers that a refusal names.
const MAX_NAMED: usize = 5;

/// Allows pages of the configured origins to call every operation and to read the headers that they need for writes.
pub fn cors(config: &Config) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(HEADERS)
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::RETRY_AFTER.as_str(),
            header::WWW_AUTHENTICATE.as_str(),
            header::ALLOW.as_str(),
            header::LINK.as_str(),
            "accept-patch",
            "idempotency-replayed",
            "ratelimit",
            "ratelimit-policy",
            "x-request-id",
        ])
        .max_age(3600);
    for origin in &config.cors_origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}

/// Returns what to tell about a preflight request that was refused for this reason; none if it is not about CORS.
pub fn refusal(reason: &actix_web::Error, request: &HttpRequest) -> Option<Error> {
    let asked = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap_or_default());
    let detail = match reason.as_error::<CorsError>()? {
        CorsError::OriginNotAllowed | CorsError::MissingOrigin => format!(
            "pages of the origin `{}` may not call this API; ask the operator of the service to add it to CORS_ORIGINS",
            quoted(asked(header::ORIGIN))
        ),
        CorsError::HeadersNotAllowed => format!(
            "pages of other origins may not send {}; leave it out, or send one of {}",
            foreign_headers(asked(header::ACCESS_CONTROL_REQUEST_HEADERS)),
            HEADERS.join(", ")
        ),
        CorsError::BadRequestHeaders => {
            "`Access-Control-Request-Headers` cannot be read; send names of headers, separated by commas".to_owned()
        }
        _ => format!(
            "pages of other origins may not use the method `{}`; use one of {}",
            quoted(asked(header::ACCESS_CONTROL_REQUEST_METHOD)),
            METHODS.map(|method| method.to_string()).join(", ")
        ),
    };
    Some(Error::PreflightRefused(detail))
}

/// Returns the headers of this list that are not allowed.
fn foreign_headers(asked: &str) -> String {
    let asked: BTreeSet<_> = asked.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut foreign = asked.iter().filter(|name| !HEADERS.contains(&name.as_str()));
    let named: Vec<_> = foreign.by_ref().take(MAX_NAMED).map(|name| format!("`{}`", quoted(name))).collect();
    let more = if foreign.next().is_some() { " and others" } else { "" };
    format!("the header {}{more}", named.join(", "))
}

/// Returns a text of the caller, shortened, without characters that could be taken for something else.
fn quoted(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != '`').take(100).collect()
}
