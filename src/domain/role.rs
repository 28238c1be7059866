//! The roles that callers have in the network.

use super::words::column_words;

column_words! {
    /// The role of a caller in the network.
    pub enum Role {
        /// A caller without a token. It reads published data that is not personal, if `PUBLIC_READ` is on.
        Anonymous = "anonymous",
        /// A tutor. It writes its own profile, the events of its municipality, and feedback as a tutor.
        Tutor = "tutor",
        /// A municipality. It writes its own fields, its tutors and events, and feedback as a participant.
        Municipality = "municipality",
        /// A partner system. It writes within its scopes, for its municipality or for the whole region.
        Partner = "partner",
        /// The coordinator. It reads and writes everything.
        Coordinator = "coordinator",
    }
}
