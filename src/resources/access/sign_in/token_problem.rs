//! The errors of the token endpoint. RFC 6749 gives them another format than problem details.

use std::borrow::Cow;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::output::json::{RESOURCE_SIZE, json},
    problem::{Error, rate_limit::RateLimit},
};

/// An error response of the token endpoint (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"error": "invalid_client", "error_description": INVALID_CLIENT.error_description}))]
pub(super) struct TokenProblem {
    /// The code of the error, for programs.
    error: &'static str,
    /// What is wrong and what to do, for people.
    #[schema(value_type = String)]
    error_description: Cow<'static, str>,
    #[serde(skip)]
    status: StatusCode,
    /// Whether the response says that the form must not be encoded.
    #[serde(skip)]
    accepts_identity: bool,
    #[serde(skip)]
    retry: Option<Retry>,
}

/// When to send the request again.
#[derive(Debug)]
enum Retry {
    /// After this many seconds.
    After(u32),
    /// As the throttling of sign-in says.
    Throttled(RateLimit),
}

const fn failure(status: StatusCode, error: &'static str, error_description: &'static str) -> TokenProblem {
    TokenProblem {
        error,
        error_description: Cow::Borrowed(error_description),
        status,
        accepts_identity: false,
        retry: None,
    }
}

pub(super) const INVALID_REQUEST: TokenProblem = failure(
    StatusCode::BAD_REQUEST,
    "invalid_request",
    "the request is malformed; send a form (application/x-www-form-urlencoded) with each parameter at most once, and the \
     credentials either in the form or in the Authorization header",
);
pub(super) const UNSUPPORTED_GRANT: TokenProblem = failure(
    StatusCode::BAD_REQUEST,
    "unsupported_grant_type",
    "the grant type is not supported; send grant_type=client_credentials",
);
pub(super) const INVALID_SCOPE: TokenProblem = failure(
    StatusCode::BAD_REQUEST,
    "invalid_scope",
    "the client does not have every requested scope; request only its own",
);
pub(super) const INVALID_CLIENT: TokenProblem = failure(
    StatusCode::UNAUTHORIZED,
    "invalid_client",
    "the client id or the secret is wrong, or the client is disabled; check both, or ask the coordinator",
);

impl TokenProblem {
    /// Returns the error for a form with a content coding, which `refused` names.
    pub(super) fn of_encoding(refused: &Error) -> Self {
        Self { error_description: refused.to_string().into(), accepts_identity: true, ..INVALID_REQUEST }
    }
}

impl std::fmt::Display for TokenProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.error)
    }
}

impl ResponseError for TokenProblem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"kuntatutorit\""));
        }
        if self.accepts_identity {
            response.insert_header((header::ACCEPT_ENCODING, "identity"));
        }
        match &self.retry {
            Some(Retry::After(seconds)) => drop(response.insert_header((header::RETRY_AFTER, *seconds))),
            Some(Retry::Throttled(limit)) => drop(limit.add_to(&mut response)),
            None => {}
        }
        json(&mut response, self, RESOURCE_SIZE)
    }
}

impl From<Error> for TokenProblem {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyRequests(seconds) => Self {
                retry: Some(Retry::Throttled(RateLimit::of_sign_in(seconds))),
                ..failure(
                    StatusCode::TOO_MANY_REQUESTS,
                    "invalid_request",
                    "too many attempts; wait for as many seconds as Retry-After says",
                )
            },
            Error::Unavailable => Self {
                retry: Some(Retry::After(1)),
                ..failure(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "temporarily_unavailable",
                    "the service cannot reach its database; try again in a moment",
                )
            },
            other => {
                tracing::error!(error = ?other, "a token request failed with an internal error");
                failure(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "the service failed; try again, and report it if it fails again",
                )
            }
        }
    }
}
