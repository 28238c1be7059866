//! Middleware around actix's compression: it chooses the responses to compress, and reads `Accept-Encoding` leniently.

use std::fmt::Write as _;

use actix_web::{
    HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Version,
        header::{self, HeaderValue},
    },
    middleware::Next,
};

use super::bytes_in_flight::PlainSize;
use crate::http::{
    input::accept::{essence, weight},
    output::cached::COMPRESSIBLE,
};

/// The size of the smallest response that is worth compressing, in bytes.
const COMPRESS_FROM: u64 = 1024;
/// The size of the largest response that is compressed. Compressing a larger one would take too much memory.
const COMPRESS_TO: u64 = 5 * 1024 * 1024;

/// Prepares `Accept-Encoding` for actix, outside its compression.
///
/// A compressed response has no known length, so it is sent in chunks, which a client of HTTP/1.0 cannot read. And
/// actix drops an item that it cannot read strictly, such as `gzip;q=.5`, and then refuses the request.
pub fn prepare_encodings(request: &mut ServiceRequest) {
    if request.version() < Version::HTTP_11 {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        return;
    }
    let has_weights = |value: &HeaderValue| value.as_bytes().contains(&b';');
    if request.headers().get_all(header::ACCEPT_ENCODING).any(has_weights)
        && let Some(strict) = strict_encodings(request)
    {
        request.headers_mut().insert(header::ACCEPT_ENCODING, strict);
    }
}

/// Returns `Accept-Encoding` in the form that actix reads. If an item cannot be read, the header excludes nothing any
/// more.
fn strict_encodings(request: &ServiceRequest) -> Option<HeaderValue> {
    let (mut strict, mut is_clear) = (String::new(), true);
    let values = request.headers().get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let items = || values.clone().flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty());
    for item in items() {
        is_clear &= weight(item).is_some();
    }
    for item in items() {
        let weight = weight(item).unwrap_or(1.0);
        if is_clear || weight > 0.0 {
            write!(strict, "{}{};q={weight:.3}", if strict.is_empty() { "" } else { ", " }, essence(item)).ok()?;
        }
    }
    HeaderValue::from_str(&strict).ok()
}

/// Lets actix compress lists that are long enough. It must not compress a single resource: the entity tag of a resource is
/// strong, so the bytes of the response must always be the same.
pub async fn choose_encoding(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let size = match response.response().body().size() {
        BodySize::Sized(size) => size,
        _ => 0,
    };
    let is_long = (COMPRESS_FROM..=COMPRESS_TO).contains(&size);
    let plain_size = PlainSize(usize::try_from(size).unwrap_or(usize::MAX));
    response.request().extensions_mut().insert(plain_size);
    let is_marked = response.headers_mut().remove(COMPRESSIBLE).next().is_some();
    let is_worth_it = is_marked && is_long;
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if !is_worth_it && !is_encoded {
        // actix compresses nothing that has an encoding. `response_headers` removes this one.
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}
