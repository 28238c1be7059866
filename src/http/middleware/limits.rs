//! Middleware that limits each caller: how many requests it sends, and how many bytes it writes. It verifies the token first,
//! because the limits belong to the caller, and it runs before anything else of the request is read.

use actix_web::{
    HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};

use super::written_bytes::WrittenBytes;
use crate::{
    auth::{
        rate_limits::{Counted, RateLimits},
        reach::Identity,
        state::Auth,
    },
    http::input::{authentication::Authentication, caller::Public, client_address::client_address},
    problem::{
        Error, Result,
        rate_limit::{RATELIMIT, RATELIMIT_POLICY, RateLimit},
    },
    telemetry::metrics::Metrics,
};

/// The paths without a limit: container platforms and load balancers ask there, all from the same addresses.
const EXEMPT: [&str; 2] = ["/livez", "/readyz"];

/// Verifies the token, and refuses the request when its caller has sent too many or has written too much.
pub async fn limit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if EXEMPT.contains(&request.path()) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let (limit, written) = match admit(&mut request) {
        Ok(admitted) => admitted,
        Err(error) => return Ok(request.error_response(error)),
    };
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(written) = written {
        written.settle(response.response());
    }
    if let Some((policy, left)) = limit.filter(|_| tells_limit(&response))
        && let Ok(left) = left.header().try_into()
    {
        response.headers_mut().insert(const { HeaderName::from_static(RATELIMIT_POLICY) }, policy);
        response.headers_mut().insert(const { HeaderName::from_static(RATELIMIT) }, left);
    }
    Ok(response)
}

/// The caller's limit as a header, and what is left of it.
type Left = (HeaderValue, RateLimit);

/// Counts the request. Returns what is left of the caller's limit, and the bytes that the request may write.
fn admit(request: &mut ServiceRequest) -> Result<(Option<Left>, Option<WrittenBytes>)> {
    let identity = authenticate(request)?;
    let (counted, by) = match &identity {
        Some(Identity::Account(id) | Identity::Client { id, .. }) => (Counted::Caller(*id), "caller"),
        Some(Identity::Anonymous) | None => (Counted::address(client_address(request.request())), "address"),
    };
    request.extensions_mut().insert(counted);
    let limits = request.app_data::<Data<RateLimits>>().ok_or_else(|| Error::Internal("no RateLimits".into()))?;
    let left = limits.count(counted).inspect_err(|_| record(request, by))?;
    let limit = left.map(|left| (limits.policy_header(), left));
    let written = match identity.and_then(|identity| identity.actor()) {
        Some(caller) => WrittenBytes::reserve(request, caller).inspect_err(|error| {
            if matches!(error, Error::WriteQuotaExceeded(_)) {
                record(request, "written_bytes");
            }
        })?,
        None => None,
    };
    Ok((limit, written))
}

/// Verifies the token and stores the outcome for [`Caller`](crate::http::Caller), and the identity for the log. Returns the
/// identity of a caller with a valid token.
fn authenticate(request: &ServiceRequest) -> Result<Option<Identity>> {
    let auth = request.app_data::<Data<Auth>>().ok_or_else(|| Error::Internal("no Auth".into()))?;
    let authentication = Authentication::verify(request.request(), auth);
    let identity = match &authentication {
        Authentication::Valid(claims) => Identity::of(claims),
        _ => None,
    };
    let mut extensions = request.extensions_mut();
    extensions.insert(authentication);
    if let Some(identity) = &identity {
        extensions.insert(identity.clone());
    }
    drop(extensions);
    Ok(identity)
}

fn record(request: &ServiceRequest, limit: &'static str) {
    if let Some(metrics) = request.app_data::<Data<Metrics>>() {
        metrics.record_limited(limit);
    }
}

/// Returns whether the response tells what is left of the limit. A response that caches may share is also for other
/// callers, and a refusal has its own headers.
fn tells_limit(response: &ServiceResponse<BoxBody>) -> bool {
    let request = response.request();
    let is_shared = request.extensions().get::<Public>().is_some() && !response.status().is_client_error();
    request.path().starts_with("/v1/") && !is_shared && !response.headers().contains_key(RATELIMIT)
}
