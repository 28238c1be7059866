//! Middleware inside actix's compression: it chooses the responses to compress.

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};

use crate::http::output::cached::COMPRESSIBLE;

/// The size of the smallest response that is worth compressing, in bytes.
const COMPRESS_FROM: u64 = 1024;

/// Lets actix compress lists that are long enough. It must not compress a single resource: the entity tag of a resource is
/// strong, so the bytes of the response must always be the same.
pub async fn choose_encoding(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let is_long = matches!(response.response().body().size(), BodySize::Sized(size) if size >= COMPRESS_FROM);
    let is_marked = response.headers_mut().remove(COMPRESSIBLE).next().is_some();
    let is_worth_it = is_marked && is_long;
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if !is_worth_it && !is_encoded {
        // actix compresses nothing that has an encoding. `response_headers` removes this one.
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}
