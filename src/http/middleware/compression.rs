//! Middleware inside actix's compression: it chooses the responses to compress.

use actix_web::{
    HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};

use super::bytes_in_flight::PlainSize;
use crate::http::output::cached::COMPRESSIBLE;

/// The size of the smallest response that is worth compressing, in bytes.
const COMPRESS_FROM: u64 = 1024;
/// The size of the largest response that is compressed. Compressing a larger one would take too much memory.
const COMPRESS_TO: u64 = 5 * 1024 * 1024;

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
