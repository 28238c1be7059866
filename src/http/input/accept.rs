//! Checks the media types that the caller accepts (RFC 9110, section 12.5.1).

use actix_web::{
    HttpRequest,
    http::header::{self, Accept, Header as _, Quality},
};

use crate::problem::{Error, Result};

/// The media type of most responses.
pub const JSON: &str = "application/json";
/// The media type of calendars: of every response at a path that ends in `.ics`.
pub const CALENDAR: &str = "text/calendar";

/// Refuses a caller whose `Accept` excludes the media type of the response. An `Accept` that cannot be read is ignored.
///
/// # Errors
/// [`Error::NotAcceptable`].
pub fn require(request: &HttpRequest) -> Result<()> {
    let media_type = match request.path().rsplit_once('.') {
        Some((_, "ics")) => CALENDAR,
        _ => JSON,
    };
    let header = request.headers().get(header::ACCEPT);
    if header.is_none_or(|value| value.as_bytes() == b"*/*" || value.as_bytes() == media_type.as_bytes()) {
        return Ok(());
    }
    let Ok(accept) = Accept::parse(request) else { return Ok(()) };
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    let acceptable = accept.iter().filter(|range| range.quality > Quality::ZERO).any(|range| {
        let range = &range.item;
        range.type_() == "*" || (range.type_() == kind && (range.subtype() == "*" || range.subtype() == subtype))
    });
    if acceptable || accept.is_empty() { Ok(()) } else { Err(Error::NotAcceptable(media_type)) }
}
