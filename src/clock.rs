//! The present, which tests can move.
//!
//! Every rule about time asks [`now`]. A test gives its server a [`Clock`] and moves it; PostgreSQL is told the same offset
//! at the start of each write, and the rules in SQL ask `clock_now()`. In production no clock is set.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use chrono::{DateTime, TimeDelta, Utc};

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// A clock that runs ahead of the system's by an offset, or behind it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Moves the clock so that it runs this much ahead of the system's.
    pub fn set_offset(&self, offset: TimeDelta) {
        self.0.store(offset.num_microseconds().unwrap_or_default(), Relaxed);
    }

    /// Makes this the clock of the current thread.
    pub fn use_on_this_thread(&self) {
        CLOCK.set(Some(self.clone()));
    }
}

/// Returns the present time.
pub fn now() -> DateTime<Utc> {
    Utc::now() + TimeDelta::microseconds(offset_micros())
}

/// Returns how far the clock of this thread runs ahead of the system's, in microseconds.
pub fn offset_micros() -> i64 {
    CLOCK.with_borrow(|clock| clock.as_ref().map_or(0, |clock| clock.0.load(Relaxed)))
}
