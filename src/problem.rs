//! The only table of failures to statuses, and what a failure looks like to the caller.
//!
//! Every failure is an RFC 9457 problem. A handler returns an [`Error`]; what is sent is written in
//! [`render`], once, where the request's id is known.

use std::borrow::Cow;

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{rules, telemetry::RequestId};

/// What a fallible function of this service returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong with a request. Its row in [`Error::kind`] says how the caller is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No bearer token, or not a good one.
    #[error("send a valid access token: `Authorization: Bearer <token>`")]
    Unauthenticated,
    /// E-mail and password, or an account's state, do not let in.
    #[error("the e-mail address or the password is not right, or the account is disabled")]
    SignInRefused,
    /// The refresh token is not known, has been used, or its session has ended.
    #[error("sign in again: this refresh token is not known, has been used, or its session has ended")]
    RefreshRefused,
    /// The invitation is not known, has been used, or is too old.
    #[error("ask the coordinator for another invitation: this one is not known, has been used, or is too old")]
    InvitationRefused,
    /// The token does not carry the scope that the operation asks for.
    #[error("this needs a token with the scope `{0}`")]
    MissingScope(&'static str),
    /// The caller may see it, but not change it.
    #[error("{0}")]
    OutOfReach(String),
    /// It does not exist, or not for this caller.
    #[error("there is nothing here that you can see; check the path and the id")]
    NotFound,
    /// The path exists, the method does not; with the methods that do.
    #[error("use one of the methods that this path has: {0}")]
    MethodNotAllowed(String),
    /// The caller's `Accept` leaves nothing to answer with.
    #[error("accept `{0}`: this operation answers with nothing else")]
    NotAcceptable(&'static str),
    /// The body or the query cannot be read at all.
    #[error("{detail}")]
    Malformed {
        /// What is wrong, for a program.
        code: &'static str,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The body took too long to arrive.
    #[error("the body did not arrive in time; send it again over a better link")]
    BodyTimeout,
    /// The body is larger than this many bytes.
    #[error("send a body of {0} bytes at most")]
    PayloadTooLarge(usize),
    /// The body is of another media type than this.
    #[error("send the body as `{0}`")]
    UnsupportedMediaType(&'static str),
    /// Rules that the input breaks, all of them.
    #[error("the input breaks {} of the rules; `errors` has each with what to do", .0.len())]
    Invalid(Vec<Violation>),
    /// A conditional request without its condition.
    #[error("send `If-Match` with the `ETag` that you read, so that nobody's change is overwritten")]
    PreconditionRequired,
    /// The condition does not hold: somebody else changed it meanwhile.
    #[error("it has changed since you read it: read it again, then repeat your change with the new `ETag`")]
    PreconditionFailed,
    /// What is stored stands against it.
    #[error("{detail}")]
    Conflict {
        /// What stands against it, for a program.
        code: Cow<'static, str>,
        /// What stands against it and what to do.
        detail: Cow<'static, str>,
    },
    /// A change of status that the state machine does not have.
    #[error("{}", transition_detail(from, to, allowed))]
    Transition {
        /// The status as it is.
        from: &'static str,
        /// The status as wanted.
        to: &'static str,
        /// The statuses that it can go over to.
        allowed: Vec<&'static str>,
    },
    /// The first request with this `Idempotency-Key` has not ended.
    #[error("the first request with this `Idempotency-Key` is still under way; send this one again in a moment")]
    InProgress,
    /// Too many tries; with the seconds to wait.
    #[error("wait {0} seconds, then try again")]
    TooManyRequests(u32),
    /// As many requests wait for a change as may.
    #[error("too many wait for a change already; ask again in a moment, or without `wait`")]
    TooManyWaiting,
    /// The database cannot be reached now, or too much waits for it.
    #[error("the service cannot reach its database now; try again in a moment")]
    Unavailable,
    /// The service's own fault; the cause is for the log only.
    #[error("something went wrong on our side; quote the `request_id` when you report it")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A failure of the HTTP library, by its status.
    #[error("{}", .0.canonical_reason().unwrap_or("the request cannot be served"))]
    Http(StatusCode),
}

/// Every code that is not a rule of the database, with what to do: for the documentation.
pub const CODES: &[(&str, &str)] = &[
    ("unauthenticated", "401. Send a valid access token: it is missing, malformed, expired or revoked."),
    ("sign_in_refused", "401. The e-mail address or the password is not right, or the account is disabled."),
    ("refresh_refused", "401. The refresh token is not known, has been used, or its session has ended: sign in again."),
    ("invitation_refused", "401. The invitation is not known, has been used, or is too old: ask for another one."),
    ("missing_scope", "403. Ask for a token with the scope that <code>scope</code> names."),
    ("out_of_reach", "403. You may see it, but not change it; <code>detail</code> says whose it is."),
    ("not_found", "404. It does not exist, or not for you."),
    ("method_not_allowed", "405. Use a method that <code>Allow</code> names."),
    ("not_acceptable", "406. Accept <code>application/json</code>."),
    ("malformed_json", "400. The body is not JSON: it does not parse, has a key twice, or is too deep."),
    ("malformed_query", "400. The query cannot be read."),
    ("malformed_idempotency_key", "400. <code>Idempotency-Key</code> is 1 to 255 visible ASCII characters, once."),
    ("unreadable_body", "400. The body broke off."),
    ("unknown_parameter", "400. The operation has no such query parameter."),
    (
        "unknown_include",
        "400. <code>include</code> names what this operation cannot send along; <code>detail</code> says what it can.",
    ),
    ("bad_cursor", "400. Use the <code>next</code> of a page as it is, with the same filters and order."),
    ("body_timeout", "408. The body came too slowly."),
    (
        "idempotency_key_in_progress",
        "409. The first request with this key is under way: wait as <code>Retry-After</code> says.",
    ),
    ("in_use", "409. Others refer to it: delete or change those first, or end it instead."),
    ("account_disabled", "409. The account is disabled: enable it first."),
    ("precondition_failed", "412. It has changed since you read it: read it again."),
    ("payload_too_large", "413. The body is too large."),
    ("unsupported_media_type", "415. Send the media type that <code>Accept</code> names."),
    ("invalid", "422. The input breaks rules: <code>errors</code> has each, with a pointer."),
    ("precondition_required", "428. Send <code>If-Match</code> with the <code>ETag</code> that you read."),
    ("too_many_requests", "429. Wait as <code>Retry-After</code> says."),
    ("http", "The HTTP library refused the request; the status says why."),
    ("internal", "500. Our fault: quote the <code>request_id</code> when you report it."),
    ("too_many_waiting", "503. Too many wait for a change already: try again as <code>Retry-After</code> says."),
    ("unavailable", "503. Try again as <code>Retry-After</code> says."),
    (
        "idempotency_key_reused",
        "In <code>errors</code>: the key was used for another request; take a new one for each.",
    ),
    ("unknown_field", "In <code>errors</code>: there is no such field; leave it out."),
    ("wrong_type", "In <code>errors</code>: the value has another type or form than the field."),
    ("required", "In <code>errors</code>: the field must be there."),
    ("nul", "In <code>errors</code>: the text must not contain the character NUL."),
    ("blank", "In <code>errors</code>: the text must not be blank."),
    ("too_short", "In <code>errors</code>: it has too few characters or items."),
    ("too_long", "In <code>errors</code>: it has too many characters or items."),
    ("too_small", "In <code>errors</code>: the number is too small."),
    ("too_large", "In <code>errors</code>: the number is too large."),
    ("out_of_range", "In <code>errors</code>: the value is out of its range."),
    ("fixed", "In <code>errors</code>: the key is fixed for good."),
    ("invalid_value", "In <code>errors</code>: the value is not one of those that are allowed."),
    ("unknown_scope", "In <code>errors</code>: it is not a scope that a partner system can hold."),
    ("one_of", "In <code>errors</code>: of these fields, exactly one must be there."),
    ("invalid_email", "In <code>errors</code>: it is not an e-mail address."),
    ("invalid_code", "In <code>errors</code>: it is not an official code."),
    ("invalid_slug", "In <code>errors</code>: it is not lower-case letters, digits and single hyphens."),
    ("invalid_phone", "In <code>errors</code>: it is not a telephone number."),
    ("duplicate", "In <code>errors</code>: the list has something twice."),
    ("invalid_url", "In <code>errors</code>: it is not an http or https address."),
    ("invalid_time_zone", "In <code>errors</code>: it is not an IANA time zone."),
    ("not_after", "In <code>errors</code>: the time is not after the one that it must follow."),
    ("invalid_language", "In <code>errors</code>: it is not a BCP 47 tag."),
];

fn transition_detail(from: &str, to: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        format!("`{from}` is final; it cannot become `{to}`")
    } else {
        format!("it cannot go from `{from}` to `{to}`; it can go to `{}`", allowed.join("`, `"))
    }
}

impl Error {
    /// The status, the stable code and the title of every failure.
    pub fn kind(&self) -> (StatusCode, Cow<'static, str>, &'static str) {
        use StatusCode as S;
        let (status, code, title) = match self {
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "Authentication is required"),
            Self::SignInRefused => (S::UNAUTHORIZED, "sign_in_refused", "Sign-in was refused"),
            Self::RefreshRefused => (S::UNAUTHORIZED, "refresh_refused", "The session cannot be continued"),
            Self::InvitationRefused => (S::UNAUTHORIZED, "invitation_refused", "The invitation was refused"),
            Self::MissingScope(_) => (S::FORBIDDEN, "missing_scope", "The token lacks a scope"),
            Self::OutOfReach(_) => (S::FORBIDDEN, "out_of_reach", "You may see this, but not change it"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed(_) => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
            Self::NotAcceptable(_) => (S::NOT_ACCEPTABLE, "not_acceptable", "Not acceptable"),
            Self::Malformed { code, .. } => (S::BAD_REQUEST, *code, "The request cannot be read"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "body_timeout", "The body came too slowly"),
            Self::PayloadTooLarge(_) => (S::PAYLOAD_TOO_LARGE, "payload_too_large", "The body is too large"),
            Self::UnsupportedMediaType(_) => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type")
            }
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "invalid", "The input breaks rules"),
            Self::PreconditionRequired => (S::PRECONDITION_REQUIRED, "precondition_required", "If-Match is required"),
            Self::PreconditionFailed => {
                (S::PRECONDITION_FAILED, "precondition_failed", "It has changed since it was read")
            }
            Self::Conflict { code, .. } => return (S::CONFLICT, code.clone(), "Conflict with what is stored"),
            Self::Transition { .. } => {
                (S::CONFLICT, "events_status_transition", "This change of status is not allowed")
            }
            Self::InProgress => {
                (S::CONFLICT, "idempotency_key_in_progress", "The first request with this key is under way")
            }
            Self::TooManyRequests(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests"),
            Self::TooManyWaiting => (S::SERVICE_UNAVAILABLE, "too_many_waiting", "Too many wait already"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "The service is not available now"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Http(status) => (*status, "http", "The request cannot be served"),
        };
        (status, code.into(), title)
    }

    /// One broken rule of the body, at a JSON pointer (RFC 6901).
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![Violation::at(pointer, code, detail)])
    }

    /// Passes when there are none.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all of them.
    pub fn unless_empty(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() { Ok(()) } else { Err(Self::Invalid(violations)) }
    }

    /// The failure of a deletion: what still refers to the row is a conflict, not bad input.
    pub fn on_delete(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind::ForeignKeyViolation, Error::DatabaseError};
        match &error {
            DatabaseError(ForeignKeyViolation, _) => Self::Conflict {
                code: "in_use".into(),
                detail: "others refer to it; delete or change those first, or end it instead".into(),
            },
            _ => error.into(),
        }
    }

    fn problem(&self, request_id: &str) -> Problem {
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
            Self::Transition { from, to, allowed } => {
                (problem.from, problem.to, problem.allowed) = (Some(*from), Some(*to), Some(allowed.clone()));
            }
            _ => {}
        }
        problem
    }
}

/// How many broken rules one answer tells of: a small body must not make a large one.
const MOST_ERRORS: usize = 100;

/// A rule of the input that is broken: where, which, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/ends_at")]
    pub pointer: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Name of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Which rule, for a program; stable.
    #[schema(example = "events_ends_after_start")]
    pub code: Cow<'static, str>,
    /// What to do, for a person.
    #[schema(example = "must be after starts_at")]
    pub detail: Cow<'static, str>,
}

impl Violation {
    /// At a JSON pointer (RFC 6901) of the body.
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, header: None, code: code.into(), detail: detail.into() }
    }

    /// Of a rule of the database, found before the database had to say so.
    pub fn of_rule(constraint: &str) -> Option<Self> {
        rules::find(constraint).map(|rule| Self::at(rule.pointer, rule.constraint, rule.detail))
    }

    /// Of a rule of the database, one for each item of a list that is among those that do not exist.
    pub fn of_items<T: PartialEq>(constraint: &str, items: &[T], missing: &[T]) -> impl Iterator<Item = Self> {
        let dangling = items.iter().enumerate().filter(|(_, item)| missing.contains(item));
        dangling.filter_map(move |(index, _)| {
            rules::find(constraint)
                .map(|rule| Self::at(format!("{}/{index}", rule.pointer), rule.constraint, rule.detail))
        })
    }

    /// Of a parameter of the query.
    pub fn of_parameter(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), header: None, code: code.into(), detail: detail.into() }
    }

    /// Of a header.
    pub fn of_header(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: None, header: Some(name.into()), code: code.into(), detail: detail.into() }
    }
}

/// Problem details (RFC 9457): every failure of this service looks like this.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/docs/problems#precondition_failed", "title": "It has changed since it was read", "status": 412,
    "detail": "it has changed since you read it: read it again, then repeat your change with the new `ETag`",
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

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{
            DatabaseErrorKind::{
                CheckViolation, ClosedConnection, ForeignKeyViolation, RestrictViolation, UnableToSendCommand,
                UniqueViolation,
            },
            Error::{BrokenTransactionManager, DatabaseError, NotFound},
        };
        match &error {
            NotFound => Self::NotFound,
            BrokenTransactionManager | DatabaseError(ClosedConnection | UnableToSendCommand, _) => Self::Unavailable,
            DatabaseError(kind, info) => match (kind, info.constraint_name().and_then(rules::find)) {
                (UniqueViolation | RestrictViolation, Some(rule)) => {
                    Self::Conflict { code: rule.constraint.into(), detail: rule.detail.into() }
                }
                (CheckViolation | ForeignKeyViolation, Some(rule)) => {
                    Self::at(rule.pointer, rule.constraint, rule.detail)
                }
                _ if is_passing(info.message()) => Self::Unavailable,
                _ => Self::Internal(error.into()),
            },
            _ => Self::Internal(error.into()),
        }
    }
}

/// Whether PostgreSQL says that it cannot serve now: time-outs, starting, stopping, out of connections.
fn is_passing(message: &str) -> bool {
    [
        "deadlock detected",
        "canceling statement due to",
        "terminating connection",
        "the database system is",
        "sorry, too many clients",
        "remaining connection slots",
    ]
    .iter()
    .any(|start| message.starts_with(start))
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
            Self::Unavailable | Self::InProgress | Self::TooManyWaiting => {
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
    let body = serde_json::to_vec(&error.problem(&request_id)).unwrap_or_default();
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Ok(response)
}

/// Answers of the token endpoint fail as RFC 6749 says: they carry their body already.
fn speaks_oauth(response: &ServiceResponse<BoxBody>) -> bool {
    response.request().path() == "/v1/auth/token" && response.headers().contains_key(header::CONTENT_TYPE)
}
