//! The scopes of accounts.

use crate::auth::scopes::scope;

scope! {
    /// Reads accounts.
    AccountsRead = "accounts:read", writes with "accounts:write"
}

scope! {
    /// Writes accounts.
    AccountsWrite = "accounts:write", writes with "accounts:write"
}
