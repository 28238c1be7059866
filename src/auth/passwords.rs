//! Hashes passwords with argon2id on a few separate threads, so that other requests do not wait.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError, mpsc},
    thread::available_parallelism,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::oneshot;

use crate::{
    admission::Permit,
    problem::{Error, Result},
};

/// The length of a password, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;
/// The maximum number of passwords that are being hashed or wait to be hashed.
pub const MAX_PENDING: usize = 64;
/// The maximum number of passwords from one address that are being hashed or wait to be hashed.
pub const MAX_PENDING_PER_ADDRESS: usize = 32;
/// The maximum number of threads that hash. A hash takes 19 MiB and a core for 25 ms, so only half of the cores hash.
const MAX_THREADS: usize = 4;
/// The niceness of the threads that hash. When requests keep all cores busy, a thread of niceness 10 gets about a tenth
/// of a core.
const NICENESS: i32 = 10;
/// The hash that is verified when the account is unknown or has no password, so that this takes as long as verifying a
/// password. It is a hash of random bytes, so no password matches it. It is a constant because computing it would make
/// the first such sign-in slower than the others.
const UNKNOWN_ACCOUNT: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$gGidi7nIereAYmEvDA6oUw$XNUqqpeUZP6A5VaCGH7+PGPN16L3TOH4hdMIQrb50oM";

/// Hashes a password. Returns the hash in PHC form.
pub async fn hash(permit: Permit<String>, password: String) -> Result<String> {
    run(permit, move || hash_now(&password)).await?
}

/// Returns whether the password matches the stored hash. Without a stored hash, the function takes the same time and
/// returns false.
pub async fn verify(permit: Permit<String>, password: String, stored: Option<String>) -> Result<bool> {
    run(permit, move || {
        let has_password = stored.is_some();
        let stored = stored.as_deref().unwrap_or(UNKNOWN_ACCOUNT);
        let matches = PasswordHash::new(stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && has_password
    })
    .await
}

/// Hashes a password on the current thread. It is for the command line, where no request waits.
pub fn hash_now(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| Error::Internal(error.to_string().into()))?.to_string())
}

/// A piece of work for the threads that hash.
type Job = Box<dyn FnOnce() + Send>;

/// The queue of the threads that hash. The threads are separate from those of the runtime because a thread without
/// privileges cannot undo its niceness.
static JOBS: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    let threads = available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, MAX_THREADS));
    for _ in 0..threads {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            lower_priority();
            while let Ok(job) = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv() {
                job();
            }
        });
    }
    sender
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

/// Runs `work` on a thread that hashes.
async fn run<T: Send + 'static>(permit: Permit<String>, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, outcome) = oneshot::channel();
    let job = Box::new(move || {
        // The permit lasts until the work is done, even when the request is gone by then.
        let _permit = permit;
        // Sending fails only when the request is gone.
        let _ = sender.send(work());
    });
    JOBS.send(job).map_err(|error| Error::Internal(error.to_string().into()))?;
    outcome.await.map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the parts of a hash that decide how long verifying takes: algorithm, version and parameters, and the
    /// lengths of the salt and of the hash.
    fn cost(hash: &str) -> (&str, usize, usize) {
        assert!(PasswordHash::new(hash).is_ok(), "{hash}");
        let parts: Vec<&str> = hash.rsplitn(3, '$').collect();
        (parts[2], parts[1].len(), parts[0].len())
    }

    #[test]
    fn the_hash_for_unknown_accounts_costs_as_much_as_any_other() {
        assert_eq!(cost(UNKNOWN_ACCOUNT), cost(&hash_now("somebody's password").unwrap()));
    }
}
