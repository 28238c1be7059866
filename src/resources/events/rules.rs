//! The rules of an event's fields. Each message is `code|what to do`.

use chrono::{DateTime, Utc};

use super::model::Venue;
use crate::resources::municipalities::model::three_digits;

/// In the filter `audience`: those for the whole region.
pub(super) const REGION: &str = "region";

pub(super) fn helsinki() -> String {
    "Europe/Helsinki".to_owned()
}

pub(super) fn time_zone(name: &str, _: &()) -> garde::Result {
    if name.parse::<chrono_tz::Tz>().is_ok() {
        Ok(())
    } else {
        Err(garde::Error::new("invalid_time_zone|must be an IANA time zone such as Europe/Helsinki"))
    }
}

pub(super) fn after(start: Option<DateTime<Utc>>, field: &str) -> impl FnOnce(&DateTime<Utc>, &()) -> garde::Result {
    let message = format!("not_after|must be after {field}");
    move |end, ()| match start {
        Some(start) if *end <= start => Err(garde::Error::new(message)),
        _ => Ok(()),
    }
}

#[expect(clippy::ref_option, reason = "garde hands over the field as it is")]
pub(super) fn some_place(venue: &Option<Venue>, _: &()) -> garde::Result {
    if *venue == Some(Venue { name: None, address: None, municipality_code: None }) {
        return Err(garde::Error::new("required|must have a name, an address or a municipality_code; or be null"));
    }
    Ok(())
}

pub(super) fn audience(code: &str, context: &()) -> garde::Result {
    if code == REGION { Ok(()) } else { three_digits(code, context) }
}
