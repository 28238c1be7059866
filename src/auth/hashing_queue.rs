//! The queue of passwords to hash, and the threads that hash them. Networks take turns, so that one with many sign-ins does
//! not delay the others, and addresses from which an account has signed in before have every other turn.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, LazyLock, Mutex, PoisonError},
    thread::available_parallelism,
};

use tokio::sync::oneshot;

use super::{hashing_places::Place, network_address::Prefix};
use crate::problem::{Error, Result};

/// The maximum number of threads that hash. A hash takes 19 MiB and a core for 25 ms, so only half of the cores hash.
const MAX_THREADS: usize = 4;
/// The niceness of the threads that hash. When requests keep all cores busy, a thread of niceness 10 gets about a tenth
/// of a core.
const NICENESS: i32 = 10;

/// A piece of work for the threads that hash.
type Job = Box<dyn FnOnce() + Send>;

/// The jobs that wait.
struct Waiting<J> {
    of_known: Lane<J>,
    of_others: Lane<J>,
    /// True after a turn of a known address.
    known_was_last: bool,
}

/// The jobs of each network, in the order in which the networks have their turns.
struct Lane<J>(VecDeque<(Prefix, VecDeque<J>)>);

impl<J> Default for Waiting<J> {
    fn default() -> Self {
        Self { of_known: Lane(VecDeque::new()), of_others: Lane(VecDeque::new()), known_was_last: false }
    }
}

impl<J> Waiting<J> {
    fn push(&mut self, is_known: bool, prefix: Prefix, job: J) {
        let lane = if is_known { &mut self.of_known } else { &mut self.of_others };
        lane.push(prefix, job);
    }

    fn pop(&mut self) -> Option<J> {
        let known_first = !self.known_was_last;
        for is_known in [known_first, !known_first] {
            let lane = if is_known { &mut self.of_known } else { &mut self.of_others };
            if let Some(job) = lane.pop() {
                self.known_was_last = is_known;
                return Some(job);
            }
        }
        None
    }
}

impl<J> Lane<J> {
    fn push(&mut self, prefix: Prefix, job: J) {
        // There are at most as many networks as places, so a linear search is fast enough.
        match self.0.iter_mut().find(|(waiting, _)| *waiting == prefix) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.0.push_back((prefix, [job].into())),
        }
    }

    fn pop(&mut self) -> Option<J> {
        let (prefix, mut jobs) = self.0.pop_front()?;
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.0.push_back((prefix, jobs));
        }
        job
    }
}

/// The queue of the threads that hash.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting<Job>>,
    has_job: Condvar,
}

impl Queue {
    fn push(&self, is_known: bool, prefix: Prefix, job: Job) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(is_known, prefix, job);
        self.has_job.notify_one();
    }

    /// Waits for the next job.
    fn pop(&self) -> Job {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = waiting.pop() {
                return job;
            }
            waiting = self.has_job.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The queue, whose threads start with its first job. They are separate from those of the runtime because a thread without
/// privileges cannot undo its niceness.
static QUEUE: LazyLock<Arc<Queue>> = LazyLock::new(|| {
    let queue = Arc::<Queue>::default();
    let threads = available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, MAX_THREADS));
    for _ in 0..threads {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || {
            lower_priority();
            loop {
                // A panic has been logged, and its request gets a 500. The thread must go on for the others.
                let _ = catch_unwind(AssertUnwindSafe(queue.pop()));
            }
        });
    }
    queue
});

/// Lets the threads that serve requests run first when all cores are busy. A read takes a hundredth of the time of a
/// hash, so it should not wait for one. Only Linux has a priority for each thread; elsewhere it belongs to the whole
/// process.
fn lower_priority() {
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICENESS)
    {
        tracing::warn!(%error, "cannot lower the priority of password hashing; sign-ins may slow down other requests");
    }
}

/// Runs `work` on a thread that hashes, unless the request is gone when its turn comes.
pub(super) async fn run<T: Send + 'static>(place: Place, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, outcome) = oneshot::channel();
    let (is_known, prefix) = (place.is_known(), place.address().prefix());
    let job = Box::new(move || {
        // The place is held until the work is done, even when the request is gone by then.
        let _place = place;
        if !sender.is_closed() {
            // Sending fails only when the request is gone.
            let _ = sender.send(work());
        }
    });
    QUEUE.push(is_known, prefix, job);
    outcome.await.map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(waiting: &mut Waiting<&'static str>, is_known: bool, jobs: &[(u8, &'static str)]) {
        for (n, job) in jobs {
            waiting.push(is_known, Some([10, 0, *n, 0].into()), job);
        }
    }

    fn in_order(mut waiting: Waiting<&'static str>) -> String {
        std::iter::from_fn(|| waiting.pop()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn networks_take_turns() {
        let mut waiting = Waiting::default();
        push(&mut waiting, false, &[(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2"), (3, "c1")]);
        assert_eq!(in_order(waiting), "a1 b1 c1 a2 b2 a3");
    }

    #[test]
    fn known_addresses_have_every_other_turn() {
        let mut waiting = Waiting::default();
        push(&mut waiting, false, &[(1, "a1"), (2, "b1"), (3, "c1")]);
        push(&mut waiting, true, &[(1, "k1"), (1, "k2"), (4, "l1"), (1, "k3")]);
        assert_eq!(in_order(waiting), "k1 a1 l1 b1 k2 c1 k3");
    }
}
