//! The texts of failures that depend on more than a value.

use actix_web::http::StatusCode;

/// Returns the text about a request that the HTTP library refused with this status.
pub(super) fn of_library(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_ACCEPTABLE => {
            "`Accept-Encoding` excludes every content coding of this service; allow `identity`, `gzip` or `br`, or leave it out"
        }
        other => other.canonical_reason().unwrap_or("the request cannot be served"),
    }
}

/// Returns the text about a change of the status that is not allowed.
pub(super) fn of_transition(from: &str, to: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        format!("the status `{from}` is final and cannot change to `{to}`; leave it unchanged")
    } else {
        format!("the status cannot change from `{from}` to `{to}`; it can change to `{}`", allowed.join("`, `"))
    }
}
