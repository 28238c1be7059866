//! Times in JSON. A time is read as RFC 3339 with any offset, in years that the database and calendars can hold, and
//! written in UTC.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// The first moment of 1900.
pub const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_nanos(-2_208_988_800_000_000_000);
/// The first moment of 2200.
pub const LATEST: DateTime<Utc> = DateTime::from_timestamp_nanos(7_258_118_400_000_000_000);

/// Reads a time.
///
/// # Errors
/// When the text is not RFC 3339, or the time is not in the years 1900 to 2199.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    optional(deserializer)?.ok_or_else(|| D::Error::custom("must be a time"))
}

/// Reads a time that may be null.
///
/// # Errors
/// The errors of [`deserialize`].
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| D::Error::custom("must be an RFC 3339 time with an offset, such as 2020-05-19T08:00:00+03:00"))?
        .to_utc();
    // The database stores microseconds and no leap seconds. A more precise time would come back rounded.
    let time = DateTime::from_timestamp_micros(time.timestamp_micros());
    let time = time.filter(|time| (EARLIEST..LATEST).contains(time));
    time.map(Some).ok_or_else(|| D::Error::custom("out_of_range|must be in the years 1900 to 2199"))
}

/// Writes a time, or null, in the form that chrono writes: `2020-05-19T05:00:00Z`, with three or six fractional digits
/// when the time has them. chrono itself is slower: a page has four times in each row, and chrono would take a seventh
/// of the time that the whole page takes.
pub fn serialize<S: Serializer, T>(time: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Into<Option<DateTime<Utc>>>,
{
    match (*time).into() {
        Some(time) => write(time, |text| serializer.serialize_str(text)),
        None => serializer.serialize_none(),
    }
}

/// Writes a time and passes the text to `then`.
pub fn write<T>(time: DateTime<Utc>, then: impl FnOnce(&str) -> T) -> T {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    // Convert the time once: otherwise each getter below would convert it.
    let time = time.naive_utc();
    let micros = time.nanosecond() / 1000;
    let fields = [
        (0, 4, u32::try_from(time.year()).unwrap_or(0)),
        (5, 2, time.month()),
        (8, 2, time.day()),
        (11, 2, time.hour()),
        (14, 2, time.minute()),
        (17, 2, time.second()),
        (20, 6, micros),
    ];
    for (from, length, mut number) in fields {
        for digit in text[from..from + length].iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
    }
    let end = match micros {
        0 => 19,
        _ if micros.is_multiple_of(1000) => 23,
        _ => 26,
    };
    text[end] = b'Z';
    then(std::str::from_utf8(&text[..=end]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_chrono_writes_it() {
        let moments = [0, 1, 999_000, 1_000_000, 22_080, 500_000].map(|micros| {
            [EARLIEST, LATEST, DateTime::UNIX_EPOCH].map(|time| time + chrono::TimeDelta::microseconds(micros * 86_399))
        });
        for time in moments.into_iter().flatten() {
            let expected = serde_json::to_string(&time).unwrap_or_default();
            assert_eq!(write(time, |text| format!("\"{text}\"")), expected);
        }
    }

    #[test]
    fn a_leap_second_is_read_as_the_next_second() {
        let read = |text: &str| deserialize(serde_json::Value::from(text)).ok();
        assert_eq!(read("2016-12-31T23:59:60.5Z"), read("2017-01-01T00:00:00.5Z"));
        assert_eq!(read("2199-12-31T23:59:60Z"), None);
        assert!(read("2199-12-31T23:59:59.999999999Z").is_some());
    }
}
