//! Rendered responses, which the response cache can store.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{self, ContentType, HeaderName},
};
use serde::Serialize;

use super::{
    json::{RESOURCE_SIZE, unless_not_modified, write},
    next_link::next_link,
};
use crate::{
    db::batching::response_cache::CachedResponse,
    http::resource::{Resource, etag},
    problem::Result,
};

/// The header that marks a response as worth compressing. The compression middleware removes it.
pub const COMPRESSIBLE: HeaderName = HeaderName::from_static("x-compressible");

/// A resource, rendered as JSON.
#[derive(Debug)]
pub struct RenderedResource(pub CachedResponse);

/// Renders a resource with its entity tag.
pub fn render_resource(resource: &impl Resource) -> Result<CachedResponse> {
    Ok(CachedResponse { etag: Some(etag(resource)), ..render(resource, RESOURCE_SIZE)? })
}

/// A page of a list, rendered as JSON.
#[derive(Debug)]
pub struct RenderedPage(pub CachedResponse);

/// Renders a page that has this many items and, unless it is the last one, this cursor of the next page.
pub fn render_page(page: &impl Serialize, items: usize, next: Option<&str>) -> Result<CachedResponse> {
    Ok(CachedResponse { next: next.map(Into::into), ..render(page, 256 + RESOURCE_SIZE * items)? })
}

fn render(value: &impl Serialize, expected_size: usize) -> Result<CachedResponse> {
    let mut body = write(value, expected_size)?;
    // The cache may hold the body for minutes.
    body.shrink_to_fit();
    Ok(CachedResponse { body: body.into(), etag: None, next: None, valid_until: None })
}

impl Responder for RenderedResource {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let CachedResponse { body, etag, .. } = self.0;
        unless_not_modified(request, etag.unwrap_or_default(), |response| {
            response.content_type(ContentType::json()).body(body)
        })
    }
}

impl Responder for RenderedPage {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let CachedResponse { body, next, .. } = self.0;
        let mut response = HttpResponse::Ok();
        response.insert_header((COMPRESSIBLE, "list")).content_type(ContentType::json());
        if let Some(link) = next.and_then(|cursor| next_link(request, &cursor)) {
            response.insert_header((header::LINK, link));
        }
        response.body(body)
    }
}
