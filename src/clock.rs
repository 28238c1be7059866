//! The current time, which tests can move.
//!
//! Every rule about time calls [`now`]. A test starts its server with a [`Clock`] and moves it. Each write tells PostgreSQL
//! the offset of the clock, and the rules in SQL call `clock_now()`, which adds it. In production the offset is zero.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use chrono::{DateTime, TimeDelta, Utc};

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

/// A clock that differs from the system's by an offset. A new clock has no offset. Its clones move together.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Sets how far the clock is ahead of the system's, or behind it when `offset` is negative.
    pub fn set_offset(&self, offset: TimeDelta) {
        self.0.store(offset.num_microseconds().unwrap_or_default(), Relaxed);
    }

    /// Sets this clock as the clock of the current thread. Every thread that applies a rule about time must call it.
    pub fn use_on_this_thread(&self) {
        CLOCK.set(self.clone());
    }
}

/// Returns the current time by the clock of this thread.
pub fn now() -> DateTime<Utc> {
    Utc::now() + TimeDelta::microseconds(offset_micros())
}

/// Returns how far the clock of this thread is ahead of the system's, in microseconds.
pub fn offset_micros() -> i64 {
    CLOCK.with_borrow(|clock| clock.0.load(Relaxed))
}
