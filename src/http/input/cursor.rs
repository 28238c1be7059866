//! Cursors of pages.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::problem::{Error, Result};

/// What a cursor is good for: this list with these filters and this order, however the query writes them.
pub(crate) fn fingerprint(path: &str, mut filters: Vec<(String, String)>) -> String {
    filters.sort();
    let mut hash = Sha256::new_with_prefix(path);
    for text in filters.iter().flat_map(|(name, value)| [name, value]) {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
}

/// The cursor of a place, for those filters and that order.
pub(crate) fn seal(fingerprint: &str, place: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(fingerprint, place)).unwrap_or_default())
}

/// The place of a cursor.
///
/// # Errors
/// [`Error::Malformed`] when it was not made for those filters and that order.
pub(crate) fn open(cursor: &str, fingerprint: &str) -> Result<serde_json::Value> {
    let opened: Option<(String, serde_json::Value)> =
        BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match opened {
        Some((made_for, after)) if made_for == fingerprint => Ok(after),
        Some(_) => Err(bad_cursor("this cursor was made for other filters or another order; start at the first page")),
        None => Err(bad_cursor("this is not a cursor of this list; use the `next` of a page as it is")),
    }
}

/// The failure of a cursor.
pub(crate) fn bad_cursor(detail: &str) -> Error {
    Error::Malformed { code: "bad_cursor", detail: detail.to_owned() }
}
