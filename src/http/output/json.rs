//! JSON bodies of answers.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError as _,
    body::BoxBody,
    http::header::{self, ContentType},
};
use serde::Serialize;

use crate::{
    http::{
        input::{if_match::EntityTags, json::Json},
        resource::{Resource, etag},
    },
    problem::{Error, Result},
};

/// The size of a typical resource as JSON, in bytes.
pub(super) const RESOURCE_SIZE: usize = 1024;

impl<T: Resource> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        unless_known(request, etag(&self.0), |response| json(response, &self.0, RESOURCE_SIZE))
    }
}

/// Answers with this entity tag and a body, or with 304 when `If-None-Match` names the tag.
pub(super) fn unless_known(
    request: &HttpRequest,
    tag: String,
    answer: impl FnOnce(&mut HttpResponseBuilder) -> HttpResponse,
) -> HttpResponse {
    let tags = EntityTags::from_header(request, &header::IF_NONE_MATCH);
    let known = request.method().is_safe() && tags.is_some_and(|tags| tags.have(&tag));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag));
    if known { response.finish() } else { answer(&mut response) }
}

/// Writes a value as JSON. The buffer begins with `expected_size` bytes, because a buffer that grows is copied each time.
pub(super) fn write(value: &impl Serialize, expected_size: usize) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(expected_size);
    serde_json::to_writer(&mut body, value).map_err(|error| Error::Internal(error.into()))?;
    Ok(body)
}

/// Answers with a JSON body of about `expected_size` bytes.
pub fn json(response: &mut HttpResponseBuilder, value: &impl Serialize, expected_size: usize) -> HttpResponse {
    match write(value, expected_size) {
        Ok(body) => response.content_type(ContentType::json()).body(body),
        Err(error) => error.error_response(),
    }
}
