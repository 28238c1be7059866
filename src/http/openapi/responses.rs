//! The failures of each kind of operation, for the document: every status it can give.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::{
    IntoResponses, PartialSchema,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, KnownFormat, Ref, RefOr, Response, ResponseBuilder, SchemaFormat,
        schema::{ObjectBuilder, Type},
    },
};

use crate::http::input::{cursor::bad_cursor, json::BODY_LIMIT, parameters::QUERY_LIMIT};
use crate::problem::Error;

const TEXTS: &[(u16, &str)] = &[
    (400, "The request cannot be read: JSON that does not parse, an unknown parameter, a bad cursor"),
    (401, "No access token, or not a good one"),
    (403, "You may see this, but not change it; or the token lacks the scope"),
    (404, "It does not exist, or not for you"),
    (406, "Nothing that you accept can be answered"),
    (408, "The body came too slowly"),
    (409, "What is stored stands against it"),
    (412, "It has changed since you read it"),
    (413, "The body is too large"),
    (414, "The query is too long"),
    (415, "The body is of another media type"),
    (422, "The input breaks rules: all of them are in `errors`"),
    (428, "`If-Match` is required"),
    (429, "Too many tries; wait as `Retry-After` says"),
    (500, "Our fault; quote the `request_id`"),
    (503, "Not available now; try again as `Retry-After` says"),
];

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let shared = |status: &u16| (status.to_string(), Ref::from_response_name(name(*status)).into());
    statuses.iter().map(shared).collect()
}

/// The failures that operations share, by the names that each operation refers to.
pub fn shared_problems() -> impl Iterator<Item = (String, RefOr<Response>)> {
    TEXTS.iter().map(|(status, text)| (name(*status), problem(*status, text).into()))
}

/// `NotFound` for 404.
fn name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or_default().replace(' ', "")
}

/// A failure with this status.
fn example(status: u16) -> Error {
    match status {
        400 => bad_cursor("this is not a cursor of this list; use the `next` of a page as it is"),
        401 => Error::Unauthenticated,
        403 => Error::MissingScope("events:write"),
        404 => Error::NotFound,
        406 => Error::NotAcceptable("application/json"),
        408 => Error::BodyTimeout,
        409 => {
            Error::Transition { code: "events_status_transition", from: "cancelled", to: "published", allowed: vec![] }
        }
        412 => Error::PreconditionFailed,
        413 => Error::PayloadTooLarge(BODY_LIMIT),
        414 => Error::UriTooLong(QUERY_LIMIT),
        415 => Error::UnsupportedMediaType("application/json"),
        422 => Error::at("/ends_at", "not_after", "must be after starts_at"),
        428 => Error::PreconditionRequired,
        429 => Error::TooManyRequests(600),
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
        415 => response.header("Accept", text_header("The media type that is taken")),
        409 | 429 | 503 => response.header("Retry-After", seconds_header("Seconds to wait")),
        _ => response,
    };
    let response = match status {
        429 => response
            .header("RateLimit", text_header("What is left, and in how many seconds it is full again"))
            .header("RateLimit-Policy", text_header("How many tries are let through in how many seconds")),
        _ => response,
    };
    response.build()
}

fn text_header(text: &str) -> Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).description(Some(text)).build()
}

fn seconds_header(text: &str) -> Header {
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(900));
    HeaderBuilder::new().schema(Some(seconds)).description(Some(text)).build()
}

macro_rules! kinds {
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

kinds! {
    /// The failures of listing.
    ListProblems: [400 401 403 406 414 422 500 503];
    /// The failures of reading one.
    GetProblems: [400 401 403 404 406 414 500 503];
    /// The failures of reading one, and what was asked for with it.
    IncludingProblems: [400 401 403 404 406 414 422 500 503];
    /// The failures of creating.
    CreateProblems: [400 401 403 406 408 409 413 414 415 422 500 503];
    /// The failures of replacing and patching.
    WriteProblems: [400 401 403 404 406 408 409 412 413 414 415 422 428 500 503];
    /// The failures of deleting.
    DeleteProblems: [400 401 403 404 406 409 412 414 428 500 503];
    /// The failures of a calendar of something that may not exist.
    CalendarProblems: [400 401 403 404 406 414 422 500 503];
    /// The failures of what a secret address opens.
    LinkedProblems: [400 404 406 414 500 503];
    /// The failures of following the ledger.
    ChangesProblems: [400 401 403 406 414 422 500 503];
    /// The failures of signing in with a password.
    LoginProblems: [400 401 408 413 414 415 422 429 500 503];
    /// The failures of continuing a session.
    RefreshProblems: [400 401 408 413 414 415 422 500 503];
    /// The failures of ending a session.
    LogoutProblems: [400 408 413 414 415 422 500 503];
    /// The failures of setting a password.
    PasswordProblems: [400 401 403 408 413 414 415 422 429 500 503];
    /// The failures of making something within one that exists.
    AddProblems: [400 401 403 404 406 409 414 500 503];
    /// The failures of removing something from one that exists.
    RemoveProblems: [400 401 403 404 406 414 500 503];
    /// The failures of what needs a token and nothing else.
    MeProblems: [400 401 406 414 500 503];
    /// The failures of what needs no token and no body.
    OpenProblems: [400 414 500 503];
}

/// 304: what the caller has is still right.
#[derive(Debug)]
pub struct NotModified;

impl IntoResponses for NotModified {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = ResponseBuilder::new().description("`If-None-Match` names what it is now: nothing is sent");
        [("304".to_owned(), response.build().into())].into()
    }
}
