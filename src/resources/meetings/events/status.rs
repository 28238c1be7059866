//! The states of an event.

use crate::domain::{transitions::Transitions, words::column_words};

column_words! {
    /// The state of an event.
    #[derive(Default)]
    pub enum EventStatus {
        /// In preparation. Only its host and the coordinator see it.
        #[default]
        Draft = "draft",
        /// Announced.
        Published = "published",
        /// Put off. It can be published again.
        Postponed = "postponed",
        /// Held. This state is final.
        Completed = "completed",
        /// It will not be held. This state is final.
        Cancelled = "cancelled",
    }
}

use EventStatus::{Cancelled, Completed, Draft, Postponed, Published};

/// The state machine of events.
pub const TRANSITIONS: Transitions<EventStatus> = Transitions {
    code: "events_status_transition",
    table: &[
        (Draft, &[Published, Cancelled]),
        (Published, &[Postponed, Completed, Cancelled]),
        (Postponed, &[Published, Cancelled]),
    ],
};
