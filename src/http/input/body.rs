//! Reading the bytes of a body within limits of size and time.

use std::time::Duration;

use actix_web::{
    HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::problem::{Error, Result};

/// The largest body, in bytes. A description of 10,000 characters in each of several languages fits well.
pub const BODY_LIMIT: usize = 256 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The initial size of the buffer for a body without a `Content-Length`, in bytes.
const TYPICAL_SIZE: usize = 1024;

/// Reads a body that has one of these media types. The headers are checked first, so that a body that is refused anyway is
/// not read.
pub(crate) fn read_body(
    request: &HttpRequest,
    payload: Payload,
    media_types: &'static [&'static str],
) -> impl Future<Output = Result<Bytes>> + use<> {
    let checked = check_headers(request, media_types);
    async move {
        let length = checked?;
        timeout(BODY_TIME, collect(payload, length.unwrap_or(TYPICAL_SIZE))).await.unwrap_or(Err(Error::BodyTimeout))
    }
}

/// Checks the media type, the encoding and the length. Returns the `Content-Length`, if there is one.
fn check_headers(request: &HttpRequest, media_types: &'static [&'static str]) -> Result<Option<usize>> {
    if !media_types.iter().any(|known| request.content_type().eq_ignore_ascii_case(known)) {
        return Err(Error::UnsupportedMediaType(media_types));
    }
    if let Some(coding) = foreign_coding(request) {
        return Err(Error::UnsupportedEncoding { coding, accepted: media_types });
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Error::PayloadTooLarge(BODY_LIMIT));
    }
    Ok(length)
}

/// Returns the first content coding of the body that is not `identity`, shortened for the caller.
fn foreign_coding(request: &HttpRequest) -> Option<String> {
    let values = request.headers().get_all(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    let mut codings = values.flat_map(|value| value.split(',')).map(str::trim);
    let foreign = codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))?;
    Some(foreign.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.+?".contains(*c)).take(40).collect())
}

async fn collect(mut payload: Payload, capacity: usize) -> Result<Bytes> {
    let mut body = BytesMut::with_capacity(capacity);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::Malformed {
            code: "unreadable_body",
            detail: "the connection was closed before the whole body arrived; send the request again".into(),
        })?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Error::PayloadTooLarge(BODY_LIMIT));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
