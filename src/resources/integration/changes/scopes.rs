//! The scope of the change ledger.

use crate::auth::scopes::scope;

scope! {
    /// Follows changes. A caller also needs the scope that reads each collection.
    ChangesRead = "changes:read", writes with ""
}
