//! The scopes of municipalities.

use crate::auth::scopes::scope;

scope! {
    /// Reads municipalities.
    MunicipalitiesRead = "municipalities:read", writes with "municipalities:write"
}

scope! {
    /// Writes municipalities.
    MunicipalitiesWrite = "municipalities:write", writes with "municipalities:write"
}
