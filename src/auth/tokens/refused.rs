//! The refusal of an access token.

/// An access token was refused. The text does not say why, so that the response does not help a forger. The response is 401
/// with `error="invalid_token"` (RFC 6750, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token was refused")]
pub struct Refused {
    reason: &'static str,
}

impl Refused {
    pub(super) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// Returns the reason in a word or two. It is only for the log at the level `debug`, never for a response.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        self.reason
    }
}
