//! The failures of each kind of operation, for the document: every status it can give.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, KnownFormat, Ref, RefOr, Response, ResponseBuilder, SchemaFormat,
        schema::{ObjectBuilder, Type},
    },
};

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
    (415, "The body is of another media type"),
    (422, "The input breaks rules: all of them are in `errors`"),
    (428, "`If-Match` is required"),
    (429, "Too many tries; wait as `Retry-After` says"),
    (500, "Our fault; quote the `request_id`"),
    (503, "Not available now; try again as `Retry-After` says"),
];

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let known = TEXTS.iter().filter(|(status, _)| statuses.contains(status));
    known.map(|(status, text)| (status.to_string(), problem(*status, text).into())).collect()
}

fn problem(status: u16, text: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
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
    ListProblems: [400 401 403 406 422 500 503];
    /// The failures of reading one.
    GetProblems: [400 401 403 404 406 500 503];
    /// The failures of reading one, and what was asked for with it.
    IncludingProblems: [400 401 403 404 406 422 500 503];
    /// The failures of creating.
    CreateProblems: [400 401 403 406 408 409 413 415 422 500 503];
    /// The failures of replacing and patching.
    WriteProblems: [400 401 403 404 406 408 409 412 413 415 422 428 500 503];
    /// The failures of deleting.
    DeleteProblems: [400 401 403 404 406 409 412 428 500 503];
    /// The failures of a calendar of something that may not exist.
    CalendarProblems: [400 401 403 404 406 422 500 503];
    /// The failures of what a secret address opens.
    LinkedProblems: [400 404 406 500 503];
    /// The failures of following the ledger.
    ChangesProblems: [400 401 403 406 422 500 503];
    /// The failures of signing in with a password.
    LoginProblems: [400 401 408 413 415 422 429 500 503];
    /// The failures of continuing a session.
    RefreshProblems: [400 401 408 413 415 422 500 503];
    /// The failures of ending a session.
    LogoutProblems: [400 408 413 415 422 500 503];
    /// The failures of setting a password.
    PasswordProblems: [400 401 403 408 413 415 422 429 500 503];
    /// The failures of making something within one that exists.
    AddProblems: [400 401 403 404 406 409 500 503];
    /// The failures of removing something from one that exists.
    RemoveProblems: [400 401 403 404 406 500 503];
    /// The failures of what needs a token and nothing else.
    MeProblems: [400 401 406 500 503];
    /// The failures of what needs no token and no body.
    OpenProblems: [400 500 503];
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
