//! The roles that callers have in the network.

use super::words::column_words;

column_words! {
    /// What a caller is to the network.
    pub enum Role {
        /// Nobody in particular: reads published, non-personal data where `PUBLIC_READ` is on.
        Anonymous = "anonymous",
        /// A tutor: writes its own profile, its municipality's events, feedback as a tutor.
        Tutor = "tutor",
        /// A municipality: writes its own fields, its tutors and events, feedback as a participant.
        Municipality = "municipality",
        /// A partner system: writes within its scopes, for its municipality or for the whole region.
        Partner = "partner",
        /// The coordinator: reads and writes everything.
        Coordinator = "coordinator",
    }
}
