//! Times on the way in: RFC 3339 with any offset, in years that the database and calendars can hold.

use chrono::{DateTime, Utc};
use serde::{Deserialize as _, Deserializer, de::Error as _};

/// The first moment of 1900.
pub const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_nanos(-2_208_988_800_000_000_000);
/// The first moment of 2200.
pub const LATEST: DateTime<Utc> = DateTime::from_timestamp_nanos(7_258_118_400_000_000_000);

/// Reads a time.
///
/// # Errors
/// When it is not RFC 3339, or not in the years 1900 to 2199.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    optional(deserializer)?.ok_or_else(|| D::Error::custom("must be a time"))
}

/// Reads a time that may be null.
///
/// # Errors
/// As [`deserialize`].
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| D::Error::custom("must be a time of RFC 3339 with an offset, such as 2020-05-19T08:00:00+03:00"))?
        .to_utc();
    // A finer time would come back rounded: the database keeps microseconds.
    let time = time - chrono::TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos() % 1000));
    if (EARLIEST..LATEST).contains(&time) {
        Ok(Some(time))
    } else {
        Err(D::Error::custom("out_of_range|must be in the years 1900 to 2199"))
    }
}
