//! Request ids.

use std::rc::Rc;

use actix_web::{HttpMessage, dev::ServiceRequest};
use uuid::Uuid;

/// The header that carries the id, in requests and in responses.
pub const X_REQUEST_ID: &str = "x-request-id";

/// The id of a request: the caller's `X-Request-Id` if it has 1 to 64 letters, digits, `.`, `_` or `-`, else a new
/// `UUIDv7`.
#[derive(Clone, Debug)]
pub struct RequestId(Rc<str>);

impl RequestId {
    /// Returns the id of this request; it is empty before `assign` has set it.
    pub fn of(request: &impl HttpMessage) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self("".into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id for a new request.
    pub(crate) fn assign(request: &ServiceRequest) -> Self {
        let sent = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let is_valid = |id: &&str| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let id = sent.filter(is_valid).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Self(id.into())
    }
}
