//! Middleware that writes the problem details of every failure, because here the id of the request is known.

use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Bytes,
};

use super::cors;
use crate::{http::output::json::write, problem::Error, telemetry::request_id::RequestId};

/// The size of typical problem details, in bytes.
const PROBLEM_SIZE: usize = 512;

/// Writes the problem details of a failure. The HTTP library's own failures get them too.
pub async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let request_id = RequestId::of(&request);
    match next.call(request).await {
        Ok(response) => {
            let response = response.map_into_boxed_body();
            let status = response.status();
            if !(status.is_client_error() || status.is_server_error()) || is_oauth_error(&response) {
                return Ok(response);
            }
            let reason = response.response().error();
            let refusal = reason.and_then(|reason| cors::refusal(reason, response.request()));
            let problem = problem(refusal.as_ref().or(own(reason)), status, &request_id);
            let (request, response) = response.into_parts();
            Ok(ServiceResponse::new(request, with_problem(response, problem)))
        }
        Err(mut error) => {
            let problem = problem(own(Some(&error)), error.as_response_error().status_code(), &request_id);
            error.add_response_mapper(move |response| with_problem(response, problem.clone()));
            Err(error)
        }
    }
}

/// Returns the problem details as JSON. An internal error is logged, because the caller does not get its cause.
fn problem(error: Option<&Error>, status: StatusCode, request_id: &RequestId) -> Bytes {
    let of_library = Error::Http(status);
    let error = error.unwrap_or(&of_library);
    if let Error::Internal(cause) = error {
        tracing::error!(error = %cause, "request failed: internal error");
    }
    write(&error.problem(request_id.as_str()), PROBLEM_SIZE).unwrap_or_default().into()
}

/// Returns the error if it is one of this service, and not of the HTTP library.
fn own(error: Option<&actix_web::Error>) -> Option<&Error> {
    error.and_then(actix_web::Error::as_error)
}

fn with_problem(response: HttpResponse, problem: Bytes) -> HttpResponse {
    let mut response = response.set_body(BoxBody::new(problem));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// Returns whether this is an error of the token endpoint in the format of RFC 6749, which already has its body.
fn is_oauth_error(response: &ServiceResponse<BoxBody>) -> bool {
    response.request().path() == "/v1/auth/token" && response.headers().contains_key(header::CONTENT_TYPE)
}
