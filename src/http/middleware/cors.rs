//! CORS: what the pages of other origins may do.

use actix_cors::Cors;
use actix_web::http::{Method, header};

use crate::config::Config;

/// Allows pages of the configured origins to call every operation and to read the headers that they need for writes.
pub fn cors(config: &Config) -> Cors {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let mut cors = Cors::default()
        .allowed_methods(methods)
        .allowed_headers([
            header::AUTHORIZATION.as_str(),
            header::CONTENT_TYPE.as_str(),
            header::IF_MATCH.as_str(),
            header::IF_NONE_MATCH.as_str(),
            "idempotency-key",
            "x-request-id",
            // Pages that trace their requests send these (W3C Trace Context, W3C Baggage).
            "traceparent",
            "tracestate",
            "baggage",
        ])
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::RETRY_AFTER.as_str(),
            header::WWW_AUTHENTICATE.as_str(),
            header::ALLOW.as_str(),
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
