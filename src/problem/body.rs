//! The response to a failure. [`Error`] gives its status and headers; middleware writes the body, because only it knows the
//! id of the request.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{error::Error, rate_limit::RateLimit, reference::Reference, violation::Violation};

/// The header that names the media types of patches (RFC 5789).
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// The maximum number of violations that one response lists, so that a small request does not get a large response.
pub const MAX_ERRORS: usize = 100;

/// Problem details (RFC 9457). Every failure of this service has this form.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(Error::PreconditionFailed.problem("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")))]
pub struct Problem {
    /// A URI reference to the documentation of the code. It never changes.
    #[schema(format = "uri-reference")]
    r#type: String,
    /// A short summary of the kind of problem.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong and what to do, for people.
    detail: String,
    /// The code of the problem, for programs, in `snake_case`. It never changes.
    code: String,
    /// The id of the request. Quote it when you report the problem: the log of the service has it.
    request_id: String,
    /// The scope that the token lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    scope: Option<&'static str>,
    /// The current status of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    from: Option<&'static str>,
    /// The requested status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to: Option<&'static str>,
    /// The statuses that may follow the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    allowed: Option<Vec<&'static str>>,
    /// What refers to the resource that is to be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<Reference>>,
    /// Every rule that the input breaks; the first 100 when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Violation>>,
}

impl Error {
    /// Returns the problem details of this failure of this request.
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
            references: None,
            errors: None,
        };
        match self {
            Self::MissingScope(scope) => problem.scope = Some(scope),
            Self::InUse { references, .. } => problem.references = Some(references.clone()),
            Self::Invalid(errors) => problem.errors = Some(errors.iter().take(MAX_ERRORS).cloned().collect()),
            Self::Transition { from, to, allowed, .. } => {
                (problem.from, problem.to, problem.allowed) = (Some(*from), Some(*to), Some(allowed.clone()));
            }
            _ => {}
        }
        problem
    }
}

/// Adds `Accept-Patch` (RFC 5789, section 3.1) if these are the media types of patches.
fn announce_patches<'a>(response: &'a mut HttpResponseBuilder, accepted: &[&str]) -> &'a mut HttpResponseBuilder {
    if accepted.iter().any(|media_type| media_type.ends_with("patch+json")) {
        response.insert_header((ACCEPT_PATCH, accepted.join(", ")));
    }
    response
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
            Self::UnsupportedMediaType(accepted) => {
                response.insert_header((header::ACCEPT, accepted.join(", ")));
                announce_patches(&mut response, accepted)
            }
            Self::UnsupportedEncoding { accepted, .. } => {
                response.insert_header((header::ACCEPT_ENCODING, "identity"));
                announce_patches(&mut response, accepted)
            }
            Self::TooManyRequests(seconds) => RateLimit::of_sign_in(*seconds).add_to(&mut response),
            Self::RateLimited(limit) | Self::WriteQuotaExceeded(limit) => limit.add_to(&mut response),
            Self::Unavailable
            | Self::Stopping
            | Self::InProgress
            | Self::TooManyWaiting
            | Self::TooManyUnread
            | Self::SignInBusy => response.insert_header((header::RETRY_AFTER, 1)),
            _ => &mut response,
        };
        response.finish()
    }
}
