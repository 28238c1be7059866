//! What the caller accepts (RFC 9110, section 12.5.1).

use actix_web::{
    HttpRequest,
    http::header::{Accept, Header as _, Quality},
};

use crate::problem::{Error, Result};

/// Passes when the caller accepts JSON, or does not say what it accepts.
///
/// # Errors
/// [`Error::NotAcceptable`].
pub fn require_json(request: &HttpRequest) -> Result<()> {
    let header = request.headers().get(actix_web::http::header::ACCEPT);
    if header.is_none_or(|value| value.as_bytes() == b"*/*" || value.as_bytes() == b"application/json") {
        return Ok(());
    }
    let Ok(accept) = Accept::parse(request) else { return Ok(()) };
    let acceptable = accept.iter().filter(|range| range.quality > Quality::ZERO).any(|range| {
        let range = &range.item;
        range.type_() == "*"
            || (range.type_() == "application" && (range.subtype() == "*" || range.subtype() == "json"))
    });
    if acceptable || accept.is_empty() { Ok(()) } else { Err(Error::NotAcceptable("application/json")) }
}
