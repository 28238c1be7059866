//! Checks the media types that the caller accepts (RFC 9110, section 12.5.1).
//!
//! The header is read leniently: clients that are in wide use send items that no grammar allows, such as `*; q=.2` of
//! old Java. An item that cannot be read counts as accepted.

use actix_web::{HttpRequest, http::header};

use crate::problem::{Error, Result};

/// The media type of most responses.
pub const JSON: &str = "application/json";
/// The media type of calendars: of every response at a path that ends in `.ics`.
pub const CALENDAR: &str = "text/calendar";
/// The media type of failures. A caller that accepts only this one gets every response: generated clients send it for
/// operations whose success has no body.
pub const PROBLEM: &str = "application/problem+json";

/// Refuses a caller whose `Accept` excludes the media type of the response.
///
/// # Errors
/// [`Error::NotAcceptable`].
pub fn require(request: &HttpRequest) -> Result<()> {
    let media_type = match request.path().rsplit_once('.') {
        Some((_, "ics")) => CALENDAR,
        _ => JSON,
    };
    let mut is_empty = true;
    for value in request.headers().get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { return Ok(()) };
        for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            is_empty = false;
            let is_accepted = |media_type| quality(item, media_type).is_none_or(|quality| quality > 0.0);
            if is_accepted(media_type) || is_accepted(PROBLEM) {
                return Ok(());
            }
        }
    }
    if is_empty { Ok(()) } else { Err(Error::NotAcceptable(media_type)) }
}

/// Returns how much a request wants this media type: from 0 to 1, and 0 if it does not name the media type.
pub fn preference(request: &HttpRequest, media_type: &str) -> f32 {
    let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(','));
    let named = items.filter(|item| essence(item).eq_ignore_ascii_case(media_type));
    named.filter_map(|item| quality(item, media_type)).fold(0.0, f32::max)
}

/// Returns how much an item of `Accept` wants a media type; none when the item cannot be read.
fn quality(item: &str, media_type: &str) -> Option<f32> {
    let (kind, subtype) = essence(item).split_once('/')?;
    if kind.is_empty() || subtype.is_empty() {
        return None;
    }
    let (wanted, wanted_subtype) = media_type.split_once('/')?;
    let is_wanted = (kind == "*" || kind.eq_ignore_ascii_case(wanted))
        && (subtype == "*" || subtype.eq_ignore_ascii_case(wanted_subtype));
    if is_wanted { weight(item) } else { Some(0.0) }
}

/// Returns the media range or the content coding of an item, without its parameters.
pub(in crate::http) fn essence(item: &str) -> &str {
    item.split(';').next().unwrap_or_default().trim()
}

/// Returns the weight of an item, which is 1 unless it has a `q`; none when the weight cannot be read.
pub(in crate::http) fn weight(item: &str) -> Option<f32> {
    let mut parameters = item.split(';').skip(1).map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    let Some((_, value)) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q")) else { return Some(1.0) };
    value.trim().trim_matches('"').parse().ok().filter(|weight| (0.0..=1.0).contains(weight))
}
