//! The only table of failures to statuses, and what a failure looks like to the caller.
//!
//! Every failure is an RFC 9457 problem. A handler returns an [`Error`]; what is sent is written in
//! [`render`], once, where the request's id is known.

use std::borrow::Cow;

use actix_web::http::StatusCode;

use super::{constraints as rules, violation::Violation};

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
    /// The query is longer than this many bytes.
    #[error("send a query of at most {0} bytes; split a long list of values over several requests")]
    UriTooLong(usize),
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
    #[error(
        "it has changed since you read it: read it again, then repeat your change with the new `ETag` as it is, quotes \
         included (a weak one, `W/`, never holds)"
    )]
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
        /// The constraint, for a program.
        code: &'static str,
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
    /// The service has been told to stop.
    #[error("this instance stops; ask another one")]
    Stopping,
    /// The service's own fault; the cause is for the log only.
    #[error("something went wrong on our side; quote the `request_id` when you report it")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A failure of the HTTP library, by its status.
    #[error("{}", .0.canonical_reason().unwrap_or("the request cannot be served"))]
    Http(StatusCode),
}

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
            Self::UriTooLong(_) => (S::URI_TOO_LONG, "uri_too_long", "The query is too long"),
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
            Self::Transition { code, .. } => (S::CONFLICT, *code, "This change of status is not allowed"),
            Self::InProgress => {
                (S::CONFLICT, "idempotency_key_in_progress", "The first request with this key is under way")
            }
            Self::TooManyRequests(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests"),
            Self::TooManyWaiting => (S::SERVICE_UNAVAILABLE, "too_many_waiting", "Too many wait already"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "The service is not available now"),
            Self::Stopping => (S::SERVICE_UNAVAILABLE, "stopping", "This instance stops"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Http(status) => (*status, "http", "The request cannot be served"),
        };
        (status, code.into(), title)
    }

    /// One broken rule of the body, at a JSON pointer (RFC 6901).
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![Violation::at(pointer, code, detail)])
    }

    /// Whether what is stored stands against the body; what is wrong with a header is not meant.
    pub fn is_of_stored_rules(&self) -> bool {
        match self {
            Self::Invalid(violations) => violations.iter().all(|violation| violation.header.is_none()),
            Self::Conflict { .. } => true,
            _ => false,
        }
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
                detail: "others refer to it; delete or change those first, or end or cancel it instead".into(),
            },
            _ => error.into(),
        }
    }
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
