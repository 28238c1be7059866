//! JSON bodies of responses.

use std::io::{self, Write};

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

/// The length from which a buffer grows slowly.
const LARGE: usize = 512 * 1024;
/// The size of a typical resource as JSON, in bytes.
pub const RESOURCE_SIZE: usize = 1024;

impl<T: Resource> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        unless_not_modified(request, etag(&self.0), |response| json(response, &self.0, RESOURCE_SIZE))
    }
}

/// Responds with this entity tag and what `finish` adds, or with 304 when `If-None-Match` contains the tag.
pub(super) fn unless_not_modified(
    request: &HttpRequest,
    tag: String,
    finish: impl FnOnce(&mut HttpResponseBuilder) -> HttpResponse,
) -> HttpResponse {
    let tags = EntityTags::from_header(request, &header::IF_NONE_MATCH);
    let is_known = request.method().is_safe() && tags.is_some_and(|tags| tags.contain(&tag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag));
    if is_known { response.finish() } else { finish(&mut response) }
}

/// A JSON body that is not a resource.
#[derive(Debug)]
pub struct PlainJson<T>(pub T);

impl<T: Serialize> Responder for PlainJson<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        json(&mut HttpResponse::Ok(), &self.0, RESOURCE_SIZE)
    }
}

/// Writes a value as JSON and a new line, for people with a terminal. The buffer begins with `expected_size` bytes,
/// because a buffer that grows is copied each time.
pub fn write(value: &impl Serialize, expected_size: usize) -> Result<Vec<u8>> {
    let mut body = Frugal(Vec::with_capacity(expected_size));
    serde_json::to_writer(&mut body, value).map_err(|error| Error::Internal(error.into()))?;
    let Frugal(mut body) = body;
    body.push(b'\n');
    Ok(body)
}

/// A buffer that grows by a quarter once it is large. A `Vec` would double, and for a moment take three times its length.
struct Frugal(Vec<u8>);

impl Write for Frugal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self(buffer) = self;
        if buffer.capacity() - buffer.len() < bytes.len() && buffer.len() > LARGE {
            buffer.reserve_exact(bytes.len() + buffer.len() / 4);
        }
        buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Responds with a JSON body of about `expected_size` bytes.
pub fn json(response: &mut HttpResponseBuilder, value: &impl Serialize, expected_size: usize) -> HttpResponse {
    match write(value, expected_size) {
        Ok(body) => response.content_type(ContentType::json()).body(body),
        Err(error) => error.error_response(),
    }
}
