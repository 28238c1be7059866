//! Which changes a caller sees, and which of their fields.

use super::{collection::LedgerCollection, model::Change, query::ChangesQuery};
use crate::{auth::scopes::Scope, http::Caller, problem::Result};

/// The changes that a caller sees.
#[derive(Debug)]
pub(super) struct ChangeVisibility {
    /// The collections whose changes the caller sees.
    pub(super) collections: Vec<LedgerCollection>,
    with_author: bool,
}

impl ChangeVisibility {
    /// Returns the requested collections, or all that the caller may read if it requested none.
    ///
    /// # Errors
    /// [`crate::problem::Error::MissingScope`] for a requested collection that the caller may not read.
    pub(super) fn of<S: Scope>(caller: &Caller<S>, query: &ChangesQuery) -> Result<Self> {
        for requested in &query.resource {
            caller.require(requested.scope())?;
        }
        let collections = LedgerCollection::all()
            .filter(|collection| caller.holds(collection.scope()))
            .filter(|collection| query.resource.is_empty() || query.resource.contains(collection))
            .collect();
        Ok(Self { collections, with_author: caller.reach.is_coordinator() })
    }

    /// Returns a change as the caller sees it. Only the coordinator sees its author.
    pub(super) fn view(&self, mut change: Change) -> Change {
        if !self.with_author {
            (change.actor, change.request_id) = (None, None);
        }
        change
    }
}
