//! How long stored rows stay valid. A rule that reads such a row and the housekeeping that deletes it use the same number.

/// How long the response to a request with an `Idempotency-Key` is stored and replayed, in hours.
pub const IDEMPOTENCY_KEY_HOURS: i32 = 24;
