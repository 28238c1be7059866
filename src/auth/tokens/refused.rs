//! The one answer to every access token that is not accepted.

/// The access token was refused.
///
/// Deliberately opaque: its text says nothing of the ground, so that an answer
/// to the caller cannot tell a forger how far a forgery got. Answer 401 with
/// `error="invalid_token"` (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token was refused")]
pub struct Refused {
    reason: &'static str,
}

impl Refused {
    pub(super) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// The ground in a word or two, for debug logs only; never part of an answer.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        self.reason
    }
}
