//! The scope of summaries.

use crate::auth::scopes::scope;

scope! {
    /// Reads summaries of feedback. No scope writes them.
    SummariesRead = "summaries:read", writes with ""
}
