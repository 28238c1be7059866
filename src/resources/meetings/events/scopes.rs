//! The scopes of events.

use crate::auth::scopes::scope;

scope! {
    /// Reads events.
    EventsRead = "events:read", writes with "events:write"
}

scope! {
    /// Writes events.
    EventsWrite = "events:write", writes with "events:write"
}
