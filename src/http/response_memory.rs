//! The memory of responses that are being written, limited for all callers together and for each caller.
//!
//! A response of more than 32 KiB is written piece by piece, as its client reads. Until the last piece is written, it holds
//! a permit for its bytes. When all permits are taken, a new response waits for a moment; meanwhile, connections of clients
//! that read too slowly are cut.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{
    auth::rate_limits::Counted,
    connections::Connection,
    problem::{Error, Result},
};

/// A response of this size or less needs no permit: the HTTP library writes it at once.
pub const EXEMPT: usize = 32 * 1024;
/// The most bytes of all responses that are being written.
const BUDGET: usize = 32 * 1024 * 1024;
/// The most bytes of one caller's responses, if it has several.
const SHARE: usize = BUDGET / 16;
/// The most bytes of responses that wait for a permit.
const WAITING: usize = 4 * 1024 * 1024;
/// How long a response waits for a permit.
const WAIT: Duration = Duration::from_secs(2);
/// The time between two looks for clients that read too slowly, while responses wait.
const LOOK: Duration = Duration::from_millis(100);
/// A client that has read nothing for this long is cut when other responses wait.
const STALLED: Duration = Duration::from_secs(1);
/// A client that has not read its response within this time is cut when other responses wait.
const TOO_LONG: Duration = Duration::from_secs(30);
/// How many responses are compressed at the same time. Each takes some megabytes.
const ENCODERS: usize = 2;

/// The permits for the bytes of responses.
#[derive(Debug)]
pub struct ResponseMemory {
    state: Mutex<State>,
    freed: Notify,
    encoders: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    waiting: usize,
    cut: u64,
    by_caller: HashMap<Counted, usize>,
    held: BTreeMap<u64, Held>,
    next: u64,
}

/// What one response holds.
#[derive(Debug)]
struct Held {
    caller: Counted,
    bytes: usize,
    since: Instant,
    progress: Instant,
    connection: Option<Arc<Connection>>,
}

/// The permission to keep the bytes of one response in memory. Dropping it makes room for others.
#[derive(Debug)]
pub struct Permit {
    memory: Arc<ResponseMemory>,
    id: u64,
}

/// The bytes that a response waits with.
struct Waiting<'a> {
    memory: &'a ResponseMemory,
    bytes: usize,
}

impl Default for ResponseMemory {
    fn default() -> Self {
        Self { state: Mutex::default(), freed: Notify::new(), encoders: Semaphore::new(ENCODERS) }
    }
}

impl ResponseMemory {
    /// Returns a permit for a response of this size, if there is room for it now.
    pub fn try_admit(
        self: &Arc<Self>,
        caller: Counted,
        connection: Option<&Arc<Connection>>,
        bytes: usize,
    ) -> Option<Permit> {
        let mut state = self.state();
        let of_caller = state.by_caller.get(&caller).copied().unwrap_or_default();
        // A response that is larger than a limit is admitted alone.
        let fits = |used: usize, limit: usize| used == 0 || used + bytes <= limit;
        if !fits(state.used, BUDGET) || !fits(of_caller, SHARE) {
            return None;
        }
        state.used += bytes;
        state.by_caller.insert(caller, of_caller + bytes);
        let (id, now) = (state.next, Instant::now());
        state.next += 1;
        let held = Held { caller, bytes, since: now, progress: now, connection: connection.cloned() };
        state.held.insert(id, held);
        Some(Permit { memory: Arc::clone(self), id })
    }

    /// Returns a permit for a response of this size. Waits for a moment when there is no room.
    ///
    /// # Errors
    /// [`Error::TooManyUnread`] when there is still no room, or when too many others wait.
    pub async fn admit(
        self: &Arc<Self>,
        caller: Counted,
        connection: Option<&Arc<Connection>>,
        bytes: usize,
    ) -> Result<Permit> {
        if let Some(permit) = self.try_admit(caller, connection, bytes) {
            return Ok(permit);
        }
        let deadline = Instant::now() + WAIT;
        let _waiting = self.wait_with(bytes).ok_or(Error::TooManyUnread)?;
        while Instant::now() < deadline {
            let freed = self.freed.notified();
            if let Some(permit) = self.try_admit(caller, connection, bytes) {
                return Ok(permit);
            }
            self.cut_slow(bytes);
            // Either room was made, or it is time to look again.
            let _ = timeout_at(deadline.min(Instant::now() + LOOK), freed).await;
        }
        Err(Error::TooManyUnread)
    }

    fn wait_with(&self, bytes: usize) -> Option<Waiting<'_>> {
        let mut state = self.state();
        if state.waiting > 0 && state.waiting + bytes > WAITING {
            return None;
        }
        state.waiting += bytes;
        Some(Waiting { memory: self, bytes })
    }

    /// Cuts connections of clients that read too slowly, the slowest first, until there is room for this many bytes.
    fn cut_slow(&self, bytes: usize) {
        let mut state = self.state();
        let State { used, held, cut, .. } = &mut *state;
        let is_slow = |held: &Held| held.progress.elapsed() > STALLED || held.since.elapsed() > TOO_LONG;
        let mut slow: Vec<_> = held.values_mut().filter(|held| is_slow(held)).collect();
        slow.sort_by_key(|held| held.progress);
        let mut used = *used;
        for held in slow {
            if used + bytes <= BUDGET {
                break;
            }
            used -= held.bytes;
            if let Some(connection) = held.connection.take() {
                connection.cut();
                *cut += 1;
            }
        }
    }

    /// Returns the permission to compress a response.
    ///
    /// # Errors
    /// [`Error::Internal`], which cannot happen because the semaphore is never closed.
    pub async fn encoder(&self) -> Result<impl Drop> {
        self.encoders.acquire().await.map_err(|error| Error::Internal(error.into()))
    }

    /// Returns the bytes of the responses that are being written, and how many connections were cut to make room.
    pub fn figures(&self) -> (usize, u64) {
        let state = self.state();
        (state.used, state.cut)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Records that the client has read something.
    pub fn progress(&self) {
        if let Some(held) = self.memory.state().held.get_mut(&self.id) {
            held.progress = Instant::now();
        }
    }

    /// Gives back what the response does not need: it has this many bytes.
    pub fn shrink(&self, bytes: usize) {
        let mut state = self.memory.state();
        if let Some(held) = state.held.get_mut(&self.id).filter(|held| held.bytes > bytes) {
            let (caller, freed) = (held.caller, held.bytes - bytes);
            held.bytes = bytes;
            state.release(caller, freed);
            drop(state);
            self.memory.freed.notify_waiters();
        }
    }
}

impl State {
    fn release(&mut self, caller: Counted, bytes: usize) {
        self.used -= bytes;
        if let Some(of_caller) = self.by_caller.get_mut(&caller) {
            *of_caller -= bytes;
            if *of_caller == 0 {
                self.by_caller.remove(&caller);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        if let Some(held) = state.held.remove(&self.id) {
            state.release(held.caller, held.bytes);
        }
        drop(state);
        self.memory.freed.notify_waiters();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.memory.state().waiting -= self.bytes;
    }
}
