//! How long stored rows stay valid. A rule that reads such a row and the housekeeping that deletes it use the same number.

/// How long the response to a request with an `Idempotency-Key` is stored and replayed, in hours.
pub const IDEMPOTENCY_KEY_HOURS: i32 = 24;
/// How many minutes after the last failure to sign in the next attempt is allowed and the failures no longer count.
pub const SIGN_IN_PAUSE_MINUTES: i64 = 15;
/// How many days an address from which an account has signed in is kept after its last use.
pub const KNOWN_ADDRESS_DAYS: i32 = 90;
