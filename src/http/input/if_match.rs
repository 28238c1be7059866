//! Entity tags in requests: `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1).

use std::{borrow::Cow, convert::Infallible, future::Ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderName},
};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use crate::{
    http::resource::{Resource, etag},
    problem::{Error, Result},
};

/// The `If-Match` of a request. Extracting it never fails, so that a handler can report other failures first.
#[derive(Debug)]
pub struct IfMatch(Option<EntityTags>);

/// The entity tags in a condition.
#[derive(Debug)]
pub struct EntityTags(Vec<String>);

impl FromRequest for IfMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(EntityTags::from_header(request, &header::IF_MATCH))))
    }
}

impl IfMatch {
    /// Returns the tags that the caller sent.
    ///
    /// # Errors
    /// [`Error::PreconditionRequired`] when the request has no `If-Match`.
    pub fn required(self) -> Result<EntityTags> {
        self.0.ok_or(Error::PreconditionRequired)
    }
}

impl EntityTags {
    /// Returns the condition that every resource meets.
    pub fn any() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Returns the tags in a header of the request; none when the request does not have that header.
    pub fn from_header(request: &HttpRequest, name: &HeaderName) -> Option<Self> {
        let mut values = request.headers().get_all(name).peekable();
        values.peek()?;
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Some(Self(tags.map(|tag| tag.trim().to_owned()).collect()))
    }

    /// Refuses a resource that has changed since the caller read it. Only its entity tag is accepted: a `PUT` writes
    /// every field, so the caller must have seen every field.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`], [`Error::EtagOfOtherView`], [`Error::WeakEtag`].
    pub fn require(&self, current: &impl Resource) -> Result<()> {
        if self.match_strongly(current) { Ok(()) } else { Err(self.mismatch(current.version())) }
    }

    /// Refuses a resource that has changed since the caller read it. The version alone, in quotes, is accepted too: a
    /// client that cannot read headers knows it from the body, and a `PATCH` or `DELETE` erases no field that the
    /// caller does not see.
    ///
    /// # Errors
    /// Those of [`Self::require`].
    pub fn require_version(&self, current: &impl Resource) -> Result<()> {
        let version = current.version();
        let has_version = |tag: &String| unquoted(tag).is_some_and(|tag| is_number(tag, version));
        if self.0.iter().any(has_version) { Ok(()) } else { self.require(current) }
    }

    /// Returns why no tag matches a resource with this version.
    fn mismatch(&self, version: i64) -> Error {
        if self.0.iter().any(|tag| tag.starts_with("W/") || is_of_compressed(tag)) {
            return Error::WeakEtag;
        }
        let is_current = |tag: &String| {
            let tag = unquoted(tag).unwrap_or(tag);
            is_number(tag.split_once('-').map_or(tag, |(version, _)| version), version)
        };
        if self.0.iter().any(is_current) { Error::EtagOfOtherView } else { Error::PreconditionFailed }
    }

    /// Returns whether one of the tags is the current tag of the resource, for `If-Match`. A weak tag never is (RFC
    /// 9110, section 8.8.3.2). Resources that were included in the response do not count.
    fn match_strongly(&self, current: &impl Resource) -> bool {
        let etag = etag(current);
        self.0.iter().any(|tag| tag == "*" || without_embedded(tag) == etag)
    }

    /// Returns whether one of the tags, weak or strong, is this one, for `If-None-Match`.
    pub fn contain(&self, etag: &str) -> bool {
        self.0.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }
}

/// Returns the content of a tag in quotes.
fn unquoted(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')
}

/// Returns whether the text is this version, as the service writes it.
fn is_number(text: &str, version: i64) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.parse() == Ok(version)
}

/// Returns whether a proxy that compresses has changed the tag: Apache and Jetty append the coding.
fn is_of_compressed(tag: &str) -> bool {
    let codings = ["gzip", "br", "deflate", "zstd"];
    unquoted(tag).and_then(|tag| tag.rsplit_once(['-', ';'])).is_some_and(|(_, end)| codings.contains(&end))
}

/// Returns the tag of the resource alone from the tag of a response that included other resources.
fn without_embedded(tag: &str) -> Cow<'_, str> {
    tag.split_once('+').map_or(Cow::Borrowed(tag), |(start, _)| Cow::Owned(format!("{start}\"")))
}

impl utoipa::IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                .required(utoipa::openapi::Required::True)
                .description(Some(
                    "The `ETag` that you read, such as `\"42-full\"`; several tags or `*` are allowed. The service writes \
                     only if the resource still has that `ETag`. `PATCH` and `DELETE` also take the `version` of the body in \
                     quotes, such as `\"42\"`. 428 without this header, 412 when the resource has changed.",
                ))
                .schema(Some(utoipa::schema!(String)))
                .build(),
        ]
    }
}
