//! The states of an event, and which may follow which.

use crate::{
    db::types::words,
    problem::{Error, Result},
};

words! {
    /// How things stand with an event.
    #[derive(Default)]
    pub enum EventStatus {
        /// Being prepared: seen by its host and the coordinator only.
        #[default]
        Draft = "draft",
        /// Announced.
        Published = "published",
        /// Put off; it can be published again.
        Postponed = "postponed",
        /// Held. Final.
        Completed = "completed",
        /// It will not be held. Final.
        Cancelled = "cancelled",
    }
}

impl EventStatus {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Draft | Self::Postponed => &[Self::Published, Self::Cancelled],
            Self::Published => &[Self::Postponed, Self::Completed, Self::Cancelled],
            Self::Completed | Self::Cancelled => &[],
        }
    }

    /// Passes when an event may go over from this state to that one, or stay.
    ///
    /// # Errors
    /// [`Error::Transition`], which names the states that may follow.
    pub fn require_next(self, to: Self) -> Result<()> {
        if self == to || self.next().contains(&to) {
            return Ok(());
        }
        let allowed = self.next().iter().map(|next| next.as_str()).collect();
        Err(Error::Transition { from: self.as_str(), to: to.as_str(), allowed })
    }
}
