//! State machines: the states of a resource, and the states that may follow each.

use crate::problem::{Error, Result};

/// A state machine. A state that the table does not list is final.
pub struct Transitions<S: 'static> {
    /// The code of the problem when a transition is not allowed.
    pub code: &'static str,
    /// Each state with the states that may follow it.
    pub table: &'static [(S, &'static [S])],
}

impl<S: Copy + Eq + Into<&'static str>> Transitions<S> {
    /// Returns the states that may follow this one.
    pub fn next(&self, from: S) -> &'static [S] {
        self.table.iter().find(|(state, _)| *state == from).map_or(&[], |(_, next)| *next)
    }

    /// Returns whether no state may follow this one.
    pub fn is_final(&self, state: S) -> bool {
        self.next(state).is_empty()
    }

    /// Refuses a transition that the table does not have. Staying in a state is always allowed.
    ///
    /// # Errors
    /// [`Error::Transition`], which names the states that may follow.
    pub fn require(&self, from: S, to: S) -> Result<()> {
        let next = self.next(from);
        if from == to || next.contains(&to) {
            return Ok(());
        }
        let allowed = next.iter().map(|state| (*state).into()).collect();
        Err(Error::Transition { code: self.code, from: from.into(), to: to.into(), allowed, is_default: false })
    }
}
