//! The scopes of tutors.

use crate::auth::scopes::scope;

scope! {
    /// Reads tutors.
    TutorsRead = "tutors:read", writes with "tutors:write"
}

scope! {
    /// Writes tutors.
    TutorsWrite = "tutors:write", writes with "tutors:write"
}
