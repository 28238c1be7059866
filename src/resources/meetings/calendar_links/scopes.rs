//! The scopes of calendar links.

use crate::auth::scopes::scope;

scope! {
    /// Reads calendar links.
    CalendarLinksRead = "calendar-links:read", writes with "calendar-links:write"
}

scope! {
    /// Writes calendar links.
    CalendarLinksWrite = "calendar-links:write", writes with "calendar-links:write"
}
