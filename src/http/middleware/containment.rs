//! Middleware that contains panics and time-outs of the limits and the handlers.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};
use futures_util::FutureExt as _;
use tokio::time::timeout;

use crate::problem::Error;

/// How long a request may take, its body included.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
/// The path whose requests may wait for a change, and the longest wait.
const WAITING: (&str, Duration) = ("/v1/changes", Duration::from_secs(30));

/// Calls the handler, and fails when it panics or takes too long. A `HEAD` is handled as a `GET`; actix leaves out the
/// body.
pub async fn contain(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if *request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let wait = if request.path() == WAITING.0 { WAITING.1 } else { Duration::ZERO };
    match timeout(REQUEST_LIMIT + wait, AssertUnwindSafe(next.call(request)).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome.map(ServiceResponse::map_into_boxed_body),
        Ok(Err(_)) => Err(Error::Internal("a handler panicked".into()).into()),
        Err(_) => Err(Error::Unavailable.into()),
    }
}
