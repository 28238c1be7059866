//! Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13.1).

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

/// The tag of the resource alone in the tag of an answer that had more in it.
fn alone(tag: &str) -> Cow<'_, str> {
    tag.split_once('+').map_or(Cow::Borrowed(tag), |(start, _)| Cow::Owned(format!("{start}\"")))
}

/// The request's `If-Match`; a handler asks for it once the body has been read.
#[derive(Debug)]
pub struct IfMatch(Option<EntityTags>);

/// What a condition names.
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
    /// The tags that the caller sent.
    ///
    /// # Errors
    /// [`Error::PreconditionRequired`] when it sent none.
    pub fn required(self) -> Result<EntityTags> {
        self.0.ok_or(Error::PreconditionRequired)
    }
}

impl EntityTags {
    /// Whatever is stored now.
    pub fn any() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// The tags in a header of the request; `None` without one.
    pub fn from_header(request: &HttpRequest, name: &HeaderName) -> Option<Self> {
        let mut values = request.headers().get_all(name).peekable();
        values.peek()?;
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Some(Self(tags.map(|tag| tag.trim().to_owned()).collect()))
    }

    /// Passes when the resource is what the caller read.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`].
    pub fn require(&self, current: &impl Resource) -> Result<()> {
        if self.names(current) { Ok(()) } else { Err(Error::PreconditionFailed) }
    }

    /// Whether the tags name the resource as it is; a weak tag never does (RFC 9110, section 8.8.3.2). What was embedded
    /// beside it does not count.
    pub fn names(&self, current: &impl Resource) -> bool {
        let etag = etag(current);
        self.0.iter().any(|tag| tag == "*" || alone(tag) == etag)
    }

    /// Whether this tag is among them, weak or strong: for `If-None-Match`.
    pub fn have(&self, etag: &str) -> bool {
        self.0.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }
}

impl utoipa::IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                .required(utoipa::openapi::Required::True)
                .description(Some(
                    "The `ETag` that you read (several, or `*`): the write happens only if it still holds. \
                     428 without it, 412 when it no longer holds.",
                ))
                .schema(Some(utoipa::schema!(String)))
                .example(Some(serde_json::json!("\"42-full\"")))
                .build(),
        ]
    }
}
