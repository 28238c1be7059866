//! The failures of requests, each with its status, code, title and text. A handler returns an [`Error`]; middleware writes
//! the response.

use std::borrow::Cow;

use actix_web::http::StatusCode;

use super::{
    details::{in_use_detail, of_library, transition_detail},
    rate_limit::RateLimit,
    reference::Reference,
    violation::Violation,
};

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
    /// The body has another media type than these.
    #[error("the media type of the body is not supported; send the body as `{}`", .0.join("` or `"))]
    UnsupportedMediaType(&'static [&'static str]),
    /// The body has a content coding.
    #[error(
        "the body has the content coding `{coding}`, which is not supported; send it unencoded and without `Content-Encoding` \
         (a character set belongs in `Content-Type`)"
    )]
    UnsupportedEncoding {
        /// The coding.
        coding: String,
        /// The media types that the operation accepts.
        accepted: &'static [&'static str],
    },
    /// The input breaks these rules.
    #[error("the input is not valid; `errors` lists the broken rules ({} in all) and what to do", .0.len())]
    Invalid(Vec<Violation>),
    /// The request lacks the `If-Match` that the operation needs.
    #[error(
        "`If-Match` is missing; send it with the `ETag` that you read, so that you do not overwrite somebody else's change"
    )]
    PreconditionRequired,
    /// `If-Match` does not contain the current entity tag of the resource.
    #[error("the resource has changed since you read it; read it again, and repeat your change with the new `ETag`")]
    PreconditionFailed,
    /// `If-Match` has the current version, but not the entity tag of what this caller sees.
    #[error(
        "`If-Match` has the current version, but not the current `ETag`: it is of another view of the resource, or only a part \
         of the `ETag`; send the `ETag` that you read, unchanged and with its quotes (`PATCH` and `DELETE` also take the \
         version alone, in quotes; `PUT` does not, because it would erase fields that you do not see)"
    )]
    EtagOfOtherView,
    /// `If-Match` has a weak entity tag, or one that a proxy has changed.
    #[error(
        "`If-Match` has a weak `ETag`, which never matches: this service sends strong ones, so a proxy has changed it, most \
         likely because it compresses answers; turn that off for this API, or use `PATCH` or `DELETE` with the version alone, \
         in quotes"
    )]
    WeakEtag,
    /// A browser asked whether a page of another origin may send a request, and it may not.
    #[error("{0}")]
    PreflightRefused(String),
    /// The request conflicts with stored data.
    #[error("{detail}")]
    Conflict {
        /// The code of the problem.
        code: Cow<'static, str>,
        /// What the request conflicts with and what to do.
        detail: Cow<'static, str>,
    },
    /// Other resources refer to the one to delete.
    #[error("{}", in_use_detail(detail, references))]
    InUse {
        /// What to do.
        detail: &'static str,
        /// What refers to it.
        references: Vec<Reference>,
    },
    /// The state machine of the resource does not have this transition.
    #[error("{}", transition_detail(from, to, allowed, *is_default))]
    Transition {
        /// The code of the problem.
        code: &'static str,
        /// The current status of the resource.
        from: &'static str,
        /// The requested status.
        to: &'static str,
        /// The statuses that may follow.
        allowed: Vec<&'static str>,
        /// Whether the body had no status, so that the requested one is the default.
        is_default: bool,
    },
    /// The first request with this `Idempotency-Key` has not ended.
    #[error("the first request with this `Idempotency-Key` is still running; send this one again in a moment")]
    InProgress,
    /// The caller made too many attempts. It must wait for this many seconds.
    #[error("too many attempts; try again in {0} seconds")]
    TooManyRequests(u32),
    /// As many passwords as the service checks at the same time are being checked, or as many as this network may have.
    #[error("the service is checking too many passwords at the moment; try again in a second")]
    SignInBusy,
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
    #[error("{}", of_library(*.0))]
    Http(StatusCode),
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
            Self::UnsupportedMediaType(_) | Self::UnsupportedEncoding { .. } => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type")
            }
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "invalid", "The input is not valid"),
            Self::PreconditionRequired => (S::PRECONDITION_REQUIRED, "precondition_required", "If-Match is required"),
            Self::PreconditionFailed | Self::EtagOfOtherView | Self::WeakEtag => {
                (S::PRECONDITION_FAILED, "precondition_failed", "`If-Match` does not match")
            }
            Self::PreflightRefused(_) => (S::BAD_REQUEST, "preflight_refused", "Pages of this origin may not do this"),
            Self::Conflict { code, .. } => return (S::CONFLICT, code.clone(), "Conflict with stored data"),
            Self::InUse { .. } => (S::CONFLICT, "in_use", "Conflict with stored data"),
            Self::Transition { code, .. } => (S::CONFLICT, *code, "This status change is not allowed"),
            Self::InProgress => {
                (S::CONFLICT, "idempotency_key_in_progress", "The first request with this key is still running")
            }
            Self::TooManyRequests(_) | Self::SignInBusy => {
                (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests")
            }
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

    /// Returns the failure of a body without a status: it tells that the status is the default.
    #[must_use]
    pub fn of_default_status(self) -> Self {
        match self {
            Self::Transition { code, from, to, allowed, .. } => {
                Self::Transition { code, from, to, allowed, is_default: true }
            }
            other => other,
        }
    }

    /// Returns whether the body conflicts with stored data. Violations of headers do not count.
    pub fn conflicts_with_stored_data(&self) -> bool {
        match self {
            Self::Invalid(violations) => violations.iter().all(|violation| violation.header.is_none()),
            Self::Conflict { .. } | Self::InUse { .. } => true,
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
}
