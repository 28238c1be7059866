//! The scopes of themes.

use crate::auth::scopes::scope;

scope! {
    /// Reads themes.
    ThemesRead = "themes:read", writes with "themes:write"
}

scope! {
    /// Writes themes.
    ThemesWrite = "themes:write", writes with "themes:write"
}
