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

    /// Refuses a resource that has changed since the caller read it.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`].
    pub fn require(&self, current: &impl Resource) -> Result<()> {
        if self.match_strongly(current) { Ok(()) } else { Err(Error::PreconditionFailed) }
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
                    "The `ETag` that you read; several tags or `*` are allowed. The service writes only if the resource \
                     still has that `ETag`. 428 without this header, 412 when the resource has changed.",
                ))
                .schema(Some(utoipa::schema!(String)))
                .example(Some(serde_json::json!("\"42-full\"")))
                .build(),
        ]
    }
}
