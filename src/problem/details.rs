//! The texts of problems that depend on several values.

use actix_web::http::StatusCode;

use super::reference::Reference;

/// Returns what is wrong with the transition and what to do. `is_default` is whether the body had no status.
pub(super) fn transition_detail(from: &str, to: &str, allowed: &[&str], is_default: bool) -> String {
    if is_default {
        let rest = transition_detail(from, to, allowed, false);
        return format!("the body has no `status`, which means `{to}`: {rest}; send `status` with `{from}` to keep it");
    }
    if allowed.is_empty() {
        format!("the status `{from}` is final and cannot change to `{to}`; leave it unchanged")
    } else {
        format!("the status cannot change from `{from}` to `{to}`; it can change to `{}`", allowed.join("`, `"))
    }
}

/// Returns that other resources refer to the one to delete, which of their fields do, and what to do.
pub(super) fn in_use_detail(detail: &str, references: &[Reference]) -> String {
    let fields: Vec<_> = references.iter().map(|of| format!("`{}` of {}", of.field, of.collection)).collect();
    match &fields[..] {
        [] => format!("other resources refer to this one: {detail}"),
        _ => format!("other resources refer to this one ({}): {detail}", fields.join(", ")),
    }
}

/// Returns the text about a request that the HTTP library refused with this status.
pub(super) fn of_library(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_ACCEPTABLE => {
            "`Accept-Encoding` excludes every content coding of this service; allow `identity`, `gzip` or `br`, or leave it out"
        }
        other => other.canonical_reason().unwrap_or("the request cannot be served"),
    }
}
