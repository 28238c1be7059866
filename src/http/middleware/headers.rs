//! Middleware around every request: headers, `HEAD`, panics, time.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt as _;

use crate::http::output::cached::COMPRESSIBLE;
use crate::{
    config::Config,
    http::input::caller::Public,
    problem::Error,
    shutdown::Stopping,
    telemetry::request_id::{RequestId, X_REQUEST_ID},
};

/// How long a request may take, its body included.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
/// The one operation whose requests may wait for something to happen, and for how long.
const WAITING: (&str, Duration) = ("/v1/changes", Duration::from_secs(30));
/// A smaller answer does not pay to be compressed, in bytes.
const COMPRESS_FROM: u64 = 1024;

/// A header's value that is known beforehand: it is checked when this is compiled, not for each answer.
macro_rules! fixed {
    ($text:expr) => {
        const { HeaderValue::from_static($text) }
    };
}

type Outcome = Result<ServiceResponse<BoxBody>, actix_web::Error>;

/// Outermost: what every answer carries.
///
/// # Errors
/// None of its own.
pub async fn finish(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Outcome {
    let id = RequestId::of(&request);
    let https = request.app_data::<Data<Config>>().is_some_and(|config| config.public_url.starts_with("https:"));
    // A connection that is kept would be cut in the middle of its next request.
    let stopping = request.app_data::<Data<Stopping>>().is_some_and(|stopping| stopping.has_begun());
    let documentation = request.path().starts_with("/docs") || request.path() == "/openapi.json";
    let mut response = next.call(request).await?.map_into_boxed_body();
    let public = response.request().extensions().get::<Public>().is_some()
        && (response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED);
    if stopping {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(const { HeaderName::from_static(X_REQUEST_ID) }, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed!("nosniff"));
    headers.insert(header::REFERRER_POLICY, fixed!("no-referrer"));
    let policy = if documentation { fixed!(DOCUMENTATION_POLICY) } else { fixed!(API_POLICY) };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, fixed!("max-age=31536000"));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let caching = match (documentation, public) {
            (true, _) => fixed!("public, max-age=300"),
            (false, true) => fixed!("public, max-age=60"),
            (false, false) => fixed!("private, no-store"),
        };
        headers.insert(header::CACHE_CONTROL, caching);
    }
    merge_vary(headers);
    Ok(response)
}

const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const DOCUMENTATION_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// One `Vary`: who calls decides what is seen, and the encoding how it comes.
fn merge_vary(headers: &mut HeaderMap) {
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, fixed!("Authorization, Accept-Encoding"));
        return;
    }
    let mut names = vec!["Authorization".to_owned(), "Accept-Encoding".to_owned()];
    let there = headers.get_all(header::VARY).filter_map(|value| value.to_str().ok());
    for name in there.flat_map(|value| value.split(',')).map(str::trim) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(header::VARY, names);
    }
}

/// Inside of the compression: only lists that are long enough are compressed; a single resource's tag is
/// strong, so its bytes stay as they are.
///
/// # Errors
/// None of its own.
pub async fn choose_encoding(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Outcome {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let long = matches!(response.response().body().size(), BodySize::Sized(size) if size >= COMPRESS_FROM);
    let marked = response.headers_mut().remove(COMPRESSIBLE).next().is_some();
    let pays = marked && long;
    if !pays && !response.headers().contains_key(header::CONTENT_ENCODING) {
        response.headers_mut().insert(header::CONTENT_ENCODING, fixed!("identity"));
    }
    Ok(response)
}

/// Innermost: `HEAD` is asked as `GET`, a panic and a request that takes too long become answers.
///
/// # Errors
/// None: every failure is an answer.
pub async fn contain(mut request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Outcome {
    if *request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let waits = if request.path() == WAITING.0 { WAITING.1 } else { Duration::ZERO };
    let work = tokio::time::timeout(REQUEST_LIMIT + waits, AssertUnwindSafe(next.call(request)).catch_unwind());
    let error: actix_web::Error = match work.await {
        Ok(Ok(Ok(response))) => return Ok(response.map_into_boxed_body()),
        Ok(Ok(Err(error))) => error,
        Ok(Err(_)) => Error::Internal("a handler panicked".into()).into(),
        Err(_) => Error::Unavailable.into(),
    };
    // The request is gone with the handler, and routing lets nobody keep a copy: a blank one stands in,
    // so that the layers around this one add their headers to this answer too.
    let blank = actix_web::test::TestRequest::default().to_http_request();
    Ok(ServiceResponse::new(blank, actix_web::HttpResponse::from_error(error)))
}
