//! Middleware that writes the body of every failure, where the request's id is known.

use actix_web::{
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};

use crate::{problem::Error, telemetry::request_id::RequestId};

/// Middleware: writes every failure's problem, the HTTP library's own failures too.
///
/// # Errors
/// None of its own: what comes from within is turned into an answer.
pub async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let request_id = RequestId::of(&request);
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || speaks_oauth(&response) {
        return Ok(response);
    }
    let foreign = Error::Http(status);
    let error = response.response().error().and_then(actix_web::Error::as_error).unwrap_or(&foreign);
    if let Error::Internal(cause) = error {
        tracing::error!(error = %cause, "request failed: internal error");
    }
    let body = serde_json::to_vec(&error.problem(request_id.as_str())).unwrap_or_default();
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Ok(response)
}

/// Answers of the token endpoint fail as RFC 6749 says: they carry their body already.
fn speaks_oauth(response: &ServiceResponse<BoxBody>) -> bool {
    response.request().path() == "/v1/auth/token" && response.headers().contains_key(header::CONTENT_TYPE)
}
