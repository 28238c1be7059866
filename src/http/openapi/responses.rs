//! The failure responses of each kind of operation, for the OpenAPI document.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, KnownFormat, Ref, RefOr, Response, ResponseBuilder, SchemaFormat,
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    http::input::{
        body::BODY_LIMIT,
        cursor::{UNKNOWN_CURSOR, bad_cursor},
        parameters::QUERY_LIMIT,
    },
    problem::{
        Error,
        rate_limit::{Policy, RateLimit},
    },
};

/// The statuses of failures, each with the description of its response.
const DESCRIPTIONS: &[(u16, &str)] = &[
    (
        400,
        "The request cannot be read: its JSON is malformed, a parameter is unknown, or the cursor belongs to another list",
    ),
    (401, "The access token is missing or not valid"),
    (403, "You may see the resource but not change it, or the token lacks the scope"),
    (404, "The resource does not exist, or you may not see it"),
    (406, "`Accept` excludes the media type of the response"),
    (408, "The body arrived too slowly"),
    (409, "The request conflicts with stored data"),
    (412, "The resource has changed since you read it, or `If-Match` has no `ETag` of what you see"),
    (413, "The body is too large"),
    (414, "The query is too long"),
    (415, "The media type or the content coding of the body is not supported"),
    (422, "The input is not valid: `errors` lists every broken rule"),
    (428, "`If-Match` is required"),
    (
        429,
        "Too many requests, too many attempts to sign in, or too many bytes written today: wait for as many seconds as \
         `Retry-After` says",
    ),
    (500, "The service failed: quote the `request_id` when you report it"),
    (503, "The service is temporarily unavailable: retry after as many seconds as `Retry-After` says"),
];

/// Returns references to the shared responses with these statuses.
fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let shared = |status: &u16| (status.to_string(), Ref::from_response_name(name(*status)).into());
    statuses.iter().map(shared).collect()
}

/// Returns the failure responses that operations share, by the names in the references.
pub fn shared_problems() -> impl Iterator<Item = (String, RefOr<Response>)> {
    DESCRIPTIONS.iter().map(|(status, text)| (name(*status), problem(*status, text).into()))
}

/// Returns the name of the response with this status, such as `NotFound`.
fn name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or_default().replace(' ', "")
}

/// Returns a failure with this status as an example.
fn example(status: u16) -> Error {
    match status {
        400 => bad_cursor(UNKNOWN_CURSOR),
        401 => Error::Unauthenticated,
        403 => Error::MissingScope("events:write"),
        404 => Error::NotFound,
        406 => Error::NotAcceptable("application/json"),
        408 => Error::BodyTimeout,
        409 => {
            let code = "events_status_transition";
            Error::Transition { code, from: "cancelled", to: "published", allowed: vec![], is_default: false }
        }
        412 => Error::PreconditionFailed,
        413 => Error::PayloadTooLarge(BODY_LIMIT),
        414 => Error::UriTooLong(QUERY_LIMIT),
        415 => Error::UnsupportedMediaType(&["application/json"]),
        422 => Error::at("/ends_at", "not_after", "must be after starts_at"),
        428 => Error::PreconditionRequired,
        429 => Error::RateLimited(RateLimit {
            policy: Policy { name: "default", quota: 300, window: 3, unit: None },
            remaining: 0,
            reset: 3,
            retry_after: 1,
        }),
        503 => Error::Unavailable,
        _ => Error::Internal("an example".into()),
    }
}

fn problem(status: u16, text: &str) -> Response {
    let example = serde_json::to_value(example(status).problem("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")).ok();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(example).build();
    let response = ResponseBuilder::new().description(text).content("application/problem+json", content);
    let response = match status {
        401 | 403 => response.header("WWW-Authenticate", text_header("How to authenticate (RFC 6750)")),
        415 => response
            .header("Accept", text_header("The media types to send, unless the content coding is the problem"))
            .header("Accept-Encoding", text_header("`identity` if the content coding is the problem (RFC 9110)"))
            .header("Accept-Patch", text_header("The media types of a `PATCH` (RFC 5789)")),
        409 | 429 | 503 => response.header("Retry-After", seconds_header(status)),
        _ => response,
    };
    let response = match status {
        429 => response
            .header(
                "RateLimit",
                text_header(
                    "The name of the limit, how much of it is left (r), and the seconds until it is whole again (t)",
                ),
            )
            .header(
                "RateLimit-Policy",
                text_header("The name of the limit, how much is allowed (q), and within how many seconds (w)"),
            ),
        _ => response,
    };
    response.build()
}

fn text_header(text: &str) -> Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).description(Some(text)).build()
}

/// Describes `Retry-After`. A caller that has used up its quota of written bytes waits for the next day.
fn seconds_header(status: u16) -> Header {
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(if status == 429 { 86_400 } else { 900 }));
    HeaderBuilder::new().schema(Some(seconds)).description(Some("The number of seconds to wait")).build()
}

/// Declares types for the failure responses of operations, each with its statuses. utoipa takes a type for each set of
/// responses.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: [$($status:literal)+];)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    problems(&[$($status),+])
                }
            }
        )+
    };
}

failures! {
    /// The failures of an operation that lists resources.
    ListProblems: [400 401 403 406 414 422 429 500 503];
    /// The failures of an operation that reads one resource.
    GetProblems: [400 401 403 404 406 414 429 500 503];
    /// The failures of an operation that reads one resource and can include others.
    IncludingProblems: [400 401 403 404 406 414 422 429 500 503];
    /// The failures of an operation that creates a resource.
    CreateProblems: [400 401 403 406 408 409 413 414 415 422 429 500 503];
    /// The failures of an operation that replaces or patches a resource.
    WriteProblems: [400 401 403 404 406 408 409 412 413 414 415 422 428 429 500 503];
    /// The failures of an operation that deletes a resource.
    DeleteProblems: [400 401 403 404 406 409 412 414 428 429 500 503];
    /// The failures of the calendar of a municipality, which may not exist.
    CalendarProblems: [400 401 403 404 406 414 422 429 500 503];
    /// The failures of a calendar at a secret address.
    LinkedProblems: [400 404 406 414 429 500 503];
    /// The failures of reading the change ledger.
    ChangesProblems: [400 401 403 406 414 422 429 500 503];
    /// The failures of signing in with a password.
    LoginProblems: [400 401 408 413 414 415 422 429 500 503];
    /// The failures of continuing a session.
    RefreshProblems: [400 401 408 413 414 415 422 429 500 503];
    /// The failures of ending a session.
    LogoutProblems: [400 408 413 414 415 422 429 500 503];
    /// The failures of setting a password.
    PasswordProblems: [400 401 403 408 413 414 415 422 429 500 503];
    /// The failures of creating something within a resource.
    AddProblems: [400 401 403 404 406 409 414 429 500 503];
    /// The failures of merging municipalities.
    MergerProblems: [400 401 403 404 406 408 409 413 414 415 422 429 500 503];
    /// The failures of removing something from a resource.
    RemoveProblems: [400 401 403 404 406 414 429 500 503];
    /// The failures of an operation that any valid token may use.
    MeProblems: [400 401 406 414 429 500 503];
    /// The failures of an operation that needs no token and no body.
    OpenProblems: [400 414 429 500 503];
    /// The failures of a health check, which has no rate limit.
    HealthProblems: [400 414 500 503];
}

/// The response 304: the caller has the current representation.
#[derive(Debug)]
pub struct NotModified;

impl IntoResponses for NotModified {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response =
            ResponseBuilder::new().description("`If-None-Match` contains the current `ETag`: the response has no body");
        [("304".to_owned(), response.build().into())].into()
    }
}
