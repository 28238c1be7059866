//! What the caller accepts (RFC 9110, section 12.5.1).

use actix_web::{
    HttpRequest,
    http::header::{Accept, Header as _, Quality},
};

use crate::problem::{Error, Result};

/// What nearly every operation answers with.
pub const JSON: &str = "application/json";
/// What a calendar is: the answer wherever the path ends in `.ics`.
pub const CALENDAR: &str = "text/calendar";

/// Passes when the caller accepts what is answered here, or does not say what it accepts.
///
/// # Errors
/// [`Error::NotAcceptable`].
pub fn require(request: &HttpRequest) -> Result<()> {
    let answered = match request.path().rsplit_once('.') {
        Some((_, "ics")) => CALENDAR,
        _ => JSON,
    };
    let header = request.headers().get(actix_web::http::header::ACCEPT);
    if header.is_none_or(|value| value.as_bytes() == b"*/*" || value.as_bytes() == answered.as_bytes()) {
        return Ok(());
    }
    let Ok(accept) = Accept::parse(request) else { return Ok(()) };
    let (kind, form) = answered.split_once('/').unwrap_or_default();
    let acceptable = accept.iter().filter(|range| range.quality > Quality::ZERO).any(|range| {
        let range = &range.item;
        range.type_() == "*" || (range.type_() == kind && (range.subtype() == "*" || range.subtype() == form))
    });
    if acceptable || accept.is_empty() { Ok(()) } else { Err(Error::NotAcceptable(answered)) }
}
