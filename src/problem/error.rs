//! The failures of requests, each with its status, code, title and text. A handler returns an [`Error`]; middleware writes
//! the response.

use std::borrow::Cow;

use actix_web::http::StatusCode;

use super::{constraints, rate_limit::RateLimit, violation::Violation};

/// The result of a fallible function of this service.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong with a request. [`Error::kind`] has the status, code and title of each; the text of
/// each is the `detail` of its problem.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request has no bearer token, or one that is not valid.
    #[error("the access token is missing or not valid; send a valid one as `Authorization: Bearer <token>`")]
    Unauthenticated,
    /// The e-mail address and the password do not match an enabled account. The text does not say which of them is
    /// wrong.
    #[error(
        "the e-mail address or the password is wrong, or the account is disabled; check both, or ask the coordinator"
    )]
    SignInRefused,
    /// The refresh token is unknown or was used before, or its session has ended.
    #[error("this refresh token is unknown or was used before, or its session has ended; sign in again")]
    RefreshRefused,
    /// The invitation is unknown, was used before or has expired.
    #[error("this invitation is unknown, was used before or has expired; ask the coordinator for another one")]
    InvitationRefused,
    /// The token lacks the scope that the operation needs.
    #[error("the token lacks the scope `{0}`, which this operation needs; get a token with that scope")]
    MissingScope(&'static str),
    /// The caller may see the resource, but may not change it.
    #[error("{0}")]
    OutOfReach(String),
    /// The resource does not exist, or the caller may not see it.
    #[error("the resource does not exist, or you may not see it; check the path and the id")]
    NotFound,
    /// The path does not support the method. The text names the methods that it supports.
    #[error("this path does not support the method; use one of {0}")]
    MethodNotAllowed(String),
    /// The caller's `Accept` excludes the media type of the response.
    #[error("this operation returns only `{0}`, which your `Accept` excludes; add it to `Accept`")]
    NotAcceptable(&'static str),
    /// The body, the query or a header cannot be read at all.
    #[error("{detail}")]
    Malformed {
        /// The code of the problem.
        code: &'static str,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The query has more than this many bytes.
    #[error("the query is longer than {0} bytes; split a long list of values over several requests")]
    UriTooLong(usize),
    /// The body took too long to arrive.
    #[error("the body did not arrive in time; send it again over a faster connection")]
    BodyTimeout,
    /// The body has more than this many bytes.
    #[error("the body is too large; send at most {0} bytes")]
    PayloadTooLarge(usize),
    /// The body has another media type than this, or a content encoding.
    #[error("the media type or the content encoding of the body is not supported; send it as `{0}`, unencoded")]
    UnsupportedMediaType(&'static str),
    /// The input breaks these rules.
    #[error("the input is not valid; `errors` lists the broken rules ({} in all) and what to do", .0.len())]
    Invalid(Vec<Violation>),
    /// The request lacks the `If-Match` that the operation needs.
    #[error(
        "`If-Match` is missing; send it with the `ETag` that you read, so that you do not overwrite somebody else's change"
    )]
    PreconditionRequired,
    /// `If-Match` does not contain the current entity tag of the resource.
    #[error(
        "the resource has changed since you read it; read it again, and repeat your change with the new `ETag`, unchanged and \
         with its quotes (a weak `ETag`, which begins with `W/`, never matches)"
    )]
    PreconditionFailed,
    /// The request conflicts with stored data.
    #[error("{detail}")]
    Conflict {
        /// The code of the problem.
        code: Cow<'static, str>,
        /// What the request conflicts with and what to do.
        detail: Cow<'static, str>,
    },
    /// The state machine of the resource does not have this transition.
    #[error("{}", transition_detail(from, to, allowed))]
    Transition {
        /// The code of the problem.
        code: &'static str,
        /// The current status of the resource.
        from: &'static str,
        /// The requested status.
        to: &'static str,
        /// The statuses that may follow.
        allowed: Vec<&'static str>,
    },
    /// The first request with this `Idempotency-Key` has not ended.
    #[error("the first request with this `Idempotency-Key` is still running; send this one again in a moment")]
    InProgress,
    /// The caller made too many attempts. It must wait for this many seconds.
    #[error("too many attempts; try again in {0} seconds")]
    TooManyRequests(u32),
    /// The caller sends more requests than its rate limit allows.
    #[error(
        "too many requests: at most {} within {} seconds, then {} per second; wait for as many seconds as `Retry-After` says",
        .0.policy.quota, .0.policy.window, .0.policy.quota / u64::from(.0.policy.window.max(1))
    )]
    RateLimited(RateLimit),
    /// The caller has written as many bytes today as its quota allows.
    #[error(
        "too many bytes were written today: the quota of a caller is {} MiB per day (UTC), and {} bytes are left; wait for as \
         many seconds as `Retry-After` says, or ask the operator of the service for a larger quota",
        .0.policy.quota >> 20, .0.remaining
    )]
    WriteQuotaExceeded(RateLimit),
    /// As many requests as allowed are already waiting for changes.
    #[error("too many requests are already waiting for changes; try again in a moment, or without `wait`")]
    TooManyWaiting,
    /// All responses that are being written together take as much memory as they may.
    #[error(
        "too many long responses are being read at the moment; read yours without delay, and send this request again soon"
    )]
    TooManyUnread,
    /// The database cannot be reached, or too many requests wait for it.
    #[error("the service cannot reach its database at the moment; try again soon")]
    Unavailable,
    /// This instance is shutting down.
    #[error("this instance is shutting down; send the request to another instance")]
    Stopping,
    /// The service itself failed. Only the log gets the cause.
    #[error("the service failed; quote the `request_id` when you report it")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP library refused the request with this status.
    #[error("{}", .0.canonical_reason().unwrap_or("the request cannot be served"))]
    Http(StatusCode),
}

fn transition_detail(from: &str, to: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        format!("the status `{from}` is final and cannot change to `{to}`; leave it unchanged")
    } else {
        format!("the status cannot change from `{from}` to `{to}`; it can change to `{}`", allowed.join("`, `"))
    }
}

impl Error {
    /// Returns the status, the code and the title. A code never changes.
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
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "body_timeout", "The body arrived too slowly"),
            Self::PayloadTooLarge(_) => (S::PAYLOAD_TOO_LARGE, "payload_too_large", "The body is too large"),
            Self::UnsupportedMediaType(_) => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type")
            }
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "invalid", "The input is not valid"),
            Self::PreconditionRequired => (S::PRECONDITION_REQUIRED, "precondition_required", "If-Match is required"),
            Self::PreconditionFailed => (S::PRECONDITION_FAILED, "precondition_failed", "The resource has changed"),
            Self::Conflict { code, .. } => return (S::CONFLICT, code.clone(), "Conflict with stored data"),
            Self::Transition { code, .. } => (S::CONFLICT, *code, "This status change is not allowed"),
            Self::InProgress => {
                (S::CONFLICT, "idempotency_key_in_progress", "The first request with this key is still running")
            }
            Self::TooManyRequests(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests"),
            Self::RateLimited(_) => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::WriteQuotaExceeded(_) => {
                (S::TOO_MANY_REQUESTS, "write_quota_exceeded", "Too many bytes were written today")
            }
            Self::TooManyWaiting => (S::SERVICE_UNAVAILABLE, "too_many_waiting", "Too many waiting requests"),
            Self::TooManyUnread => (S::SERVICE_UNAVAILABLE, "too_many_unread", "Too many unread responses"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "The service is temporarily unavailable"),
            Self::Stopping => (S::SERVICE_UNAVAILABLE, "stopping", "This instance is shutting down"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Http(status) => (*status, "http", "The request cannot be served"),
        };
        (status, code.into(), title)
    }

    /// Returns the failure of one field of the body, which a JSON pointer names (RFC 6901).
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![Violation::at(pointer, code, detail)])
    }

    /// Returns whether the body conflicts with stored data. Violations of headers do not count.
    pub fn conflicts_with_stored_data(&self) -> bool {
        match self {
            Self::Invalid(violations) => violations.iter().all(|violation| violation.header.is_none()),
            Self::Conflict { .. } => true,
            _ => false,
        }
    }

    /// Fails when there are violations.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all of them.
    pub fn unless_empty(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() { Ok(()) } else { Err(Self::Invalid(violations)) }
    }

    /// Converts the failure of a deletion. A row that other rows refer to is a conflict, not invalid input.
    pub fn on_delete(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind::ForeignKeyViolation, Error::DatabaseError};
        match &error {
            DatabaseError(ForeignKeyViolation, _) => Self::Conflict {
                code: "in_use".into(),
                detail:
                    "other resources refer to this one; delete or change them first, or end or cancel this one instead"
                        .into(),
            },
            _ => error.into(),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{
            DatabaseErrorKind::{
                CheckViolation, ClosedConnection, ForeignKeyViolation, ReadOnlyTransaction, RestrictViolation,
                UnableToSendCommand, UniqueViolation,
            },
            Error::{BrokenTransactionManager, DatabaseError, NotFound},
        };
        match &error {
            NotFound => Self::NotFound,
            BrokenTransactionManager | DatabaseError(ClosedConnection | UnableToSendCommand, _) => Self::Unavailable,
            DatabaseError(ReadOnlyTransaction, _) => {
                tracing::warn!("PostgreSQL accepts only reads; a failover has begun, or its disk is full");
                Self::Unavailable
            }
            DatabaseError(kind, info) => match (kind, info.constraint_name().and_then(constraints::find)) {
                (UniqueViolation | RestrictViolation, Some(rule)) => {
                    Self::Conflict { code: rule.constraint.into(), detail: (&*rule.detail).into() }
                }
                (CheckViolation | ForeignKeyViolation, Some(rule)) => {
                    Self::at(&*rule.pointer, rule.constraint, &*rule.detail)
                }
                _ if is_temporary(info.message()) => Self::Unavailable,
                _ if is_lost_statement(info.message()) => {
                    tracing::error!(
                        "a connection pooler between the service and PostgreSQL lost a prepared statement; set its \
                         pool_mode to session"
                    );
                    Self::Unavailable
                }
                _ => Self::Internal(error.into()),
            },
            _ => Self::Internal(error.into()),
        }
    }
}

/// Returns whether the message of PostgreSQL means that the session has not the prepared statements that this connection
/// made (SQLSTATE 26000 and 42P05): a connection pooler runs each transaction in another session.
pub fn is_lost_statement(message: &str) -> bool {
    message.starts_with("prepared statement \"")
        && (message.ends_with("does not exist") || message.ends_with("already exists"))
}

/// Returns whether the message of PostgreSQL means that it cannot answer at the moment: a time-out, a deadlock, a start
/// or a stop, or too many connections.
fn is_temporary(message: &str) -> bool {
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
