//! The scopes of feedback.

use crate::auth::scopes::scope;

scope! {
    /// Reads feedback.
    FeedbackRead = "feedback:read", writes with "feedback:write"
}

scope! {
    /// Writes feedback.
    FeedbackWrite = "feedback:write", writes with "feedback:write"
}
