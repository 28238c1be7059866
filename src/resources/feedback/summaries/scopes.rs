//! The scope of summaries.

use crate::auth::scopes::scope;

scope! {
    /// Reads summaries of feedback.
    SummariesRead = "summaries:read", writes with ""
}
