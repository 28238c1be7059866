//! The cursors of pages. A cursor holds the sort key of the last row of a page, and a fingerprint of the list that it
//! belongs to.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::problem::{Error, Result};

/// The detail for a cursor that this list did not create.
pub(crate) const UNKNOWN_CURSOR: &str = "this is not a cursor of this list; send the `next` of a page unchanged";

/// Returns the fingerprint of a list: a hash of its path, its filters and its order, in whatever sequence the query has
/// them.
pub(crate) fn fingerprint(path: &str, mut filters: Vec<(String, String)>) -> String {
    filters.sort();
    let mut hash = Sha256::new_with_prefix(path);
    for text in filters.iter().flat_map(|(name, value)| [name, value]) {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
}

/// Returns the cursor that holds a sort key of the list with this fingerprint.
pub(crate) fn encode(fingerprint: &str, key: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(fingerprint, key)).unwrap_or_default())
}

/// Returns the sort key that a cursor holds.
///
/// # Errors
/// [`Error::Malformed`] when the cursor belongs to another list.
pub(crate) fn decode(cursor: &str, fingerprint: &str) -> Result<serde_json::Value> {
    let decoded: Option<(String, serde_json::Value)> =
        BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match decoded {
        Some((of_list, key)) if of_list == fingerprint => Ok(key),
        Some(_) => Err(bad_cursor("this cursor belongs to other filters or another order; start at the first page")),
        None => Err(bad_cursor(UNKNOWN_CURSOR)),
    }
}

/// Returns the failure of a cursor.
pub(crate) fn bad_cursor(detail: &str) -> Error {
    Error::Malformed { code: "bad_cursor", detail: detail.to_owned() }
}
