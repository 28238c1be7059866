//! The scope of the change ledger.

use crate::auth::scopes::scope;

scope! {
    /// Follows the changes of the resources that the caller may read.
    ChangesRead = "changes:read", writes with ""
}
