//! How a failure is told: its headers, and the body that is written once the request's id is known.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{self},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{error::Error, violation::Violation};

/// How many broken rules one answer tells of: a small body must not make a large one.
pub const MOST_ERRORS: usize = 100;

/// Problem details (RFC 9457): every failure of this service looks like this.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/docs/problems#precondition_failed", "title": "It has changed since it was read", "status": 412,
    "detail": "it has changed since you read it: read it again, then repeat your change with the new `ETag` as it is, \
        quotes included (a weak one, `W/`, never holds)",
    "code": "precondition_failed", "request_id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"
}))]
pub struct Problem {
    /// A stable URI reference that the documentation explains.
    #[schema(format = "uri-reference")]
    r#type: String,
    /// What kind of problem it is, in a few words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong and what to do.
    detail: String,
    /// Which problem, for a program: stable, in `snake_case`.
    code: String,
    /// Quote this when you report the problem: the log has it.
    request_id: String,
    /// The scope that the token lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    scope: Option<&'static str>,
    /// The status that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    from: Option<&'static str>,
    /// The status that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to: Option<&'static str>,
    /// The statuses that it can go over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    allowed: Option<Vec<&'static str>>,
    /// Every rule of the input that is broken; the first 100 of more.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Violation>>,
}

impl Error {
    /// What is told of it.
    pub(crate) fn problem(&self, request_id: &str) -> Problem {
        let (status, code, title) = self.kind();
        let mut problem = Problem {
            r#type: format!("/docs/problems#{code}"),
            title: title.into(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: code.into(),
            request_id: request_id.to_owned(),
            scope: None,
            from: None,
            to: None,
            allowed: None,
            errors: None,
        };
        match self {
            Self::MissingScope(scope) => problem.scope = Some(scope),
            Self::Invalid(errors) => problem.errors = Some(errors.iter().take(MOST_ERRORS).cloned().collect()),
            Self::Transition { from, to, allowed, .. } => {
                (problem.from, problem.to, problem.allowed) = (Some(*from), Some(*to), Some(allowed.clone()));
            }
            _ => {}
        }
        problem
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.kind().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthenticated | Self::SignInRefused | Self::RefreshRefused | Self::InvitationRefused => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"))
            }
            Self::MissingScope(scope) => response.insert_header((
                header::WWW_AUTHENTICATE,
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
            )),
            Self::MethodNotAllowed(allow) => response.insert_header((header::ALLOW, allow.as_str())),
            Self::UnsupportedMediaType(accept) => response.insert_header((header::ACCEPT, *accept)),
            Self::TooManyRequests(seconds) => too_many(&mut response, *seconds),
            Self::Unavailable | Self::Stopping | Self::InProgress | Self::TooManyWaiting => {
                response.insert_header((header::RETRY_AFTER, 1))
            }
            _ => &mut response,
        };
        response.finish()
    }
}

/// When to come back, as `Retry-After` and as `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
pub fn too_many(response: &mut HttpResponseBuilder, seconds: u32) -> &mut HttpResponseBuilder {
    response
        .insert_header((header::RETRY_AFTER, seconds))
        .insert_header(("ratelimit-policy", "\"sign-in\";q=5;w=900"))
        .insert_header(("ratelimit", format!("\"sign-in\";r=0;t={seconds}")))
}
