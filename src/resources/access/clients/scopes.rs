//! The scopes of clients.

use crate::auth::scopes::scope;

scope! {
    /// Reads clients.
    ClientsRead = "clients:read", writes with "clients:write"
}

scope! {
    /// Writes clients.
    ClientsWrite = "clients:write", writes with "clients:write"
}
