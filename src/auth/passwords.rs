//! Passwords: argon2id, off the threads that serve, a few at a time.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError, mpsc},
    thread::available_parallelism,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::oneshot;

use crate::admission::Place;
use crate::problem::{Error, Result};

/// How long a password is, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;
/// A hash takes 19 MiB and 25 ms of a core: half of the cores hash, so that the others serve, and this many at most.
const MOST_THREADS: usize = 4;
/// How much they stand back: where all cores are busy with requests, each still gets about a tenth of one.
const NICENESS: i32 = 10;
/// This many run and wait; more are told to come later.
pub const PLACES: usize = 64;
/// So many of them are of one address at most.
pub const PLACES_OF_ONE: usize = 32;
/// What an unknown account's password is checked against, so that it takes the same time: a hash of no password that
/// anybody knows. Written out, since the first unknown account would else wait for two.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$gGidi7nIereAYmEvDA6oUw$XNUqqpeUZP6A5VaCGH7+PGPN16L3TOH4hdMIQrb50oM";

/// The password's hash, in PHC form.
///
/// # Errors
/// [`Error::Internal`] when it cannot be made.
pub async fn hash(place: Place<String>, password: String) -> Result<String> {
    off_thread(place, move || hash_now(&password)).await?
}

/// Whether this is the password of that hash; `None` takes as long and never is.
///
/// # Errors
/// [`Error::Internal`] when it cannot be found out.
pub async fn verify(place: Place<String>, password: String, stored: Option<String>) -> Result<bool> {
    off_thread(place, move || {
        let known = stored.is_some();
        let stored = stored.as_deref().unwrap_or(NOBODY);
        let matches = PasswordHash::new(stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && known
    })
    .await
}

/// As [`hash`], on this thread: for the command line, where nobody else waits.
///
/// # Errors
/// As [`hash`].
pub fn hash_now(password: &str) -> Result<String> {
    let hash =
        Argon2::default().hash_password(password.as_bytes()).map_err(|e| Error::Internal(e.to_string().into()))?;
    Ok(hash.to_string())
}

/// Threads of their own, no more than may hash at a time: what stands back once does so for good.
static HASHERS: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    let threads = available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, MOST_THREADS));
    for _ in 0..threads {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            stand_back();
            while let Ok(job) = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv() {
                job();
            }
        });
    }
    sender
});

/// Lets the threads that serve go first when all cores are busy: a read takes a hundredth of what a hash does, and would
/// wait for its end. Linux has a priority for each thread; elsewhere it would be that of the whole process.
fn stand_back() {
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICENESS)
    {
        tracing::warn!(%error, "hashes of passwords do not stand back behind requests");
    }
}

type Job = Box<dyn FnOnce() + Send>;

async fn off_thread<T: Send + 'static>(place: Place<String>, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (done, outcome) = oneshot::channel();
    let job = Box::new(move || {
        // The place is free once the work is done, whether or not its caller is still there.
        let _place = place;
        // A caller that has gone away does not hear it.
        let _ = done.send(work());
    });
    HASHERS.send(job).map_err(|error| Error::Internal(error.to_string().into()))?;
    outcome.await.map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What decides how long it takes: algorithm, version and parameters, and how long salt and hash are.
    fn cost(hash: &str) -> (&str, usize, usize) {
        assert!(PasswordHash::new(hash).is_ok(), "{hash}");
        let parts: Vec<&str> = hash.rsplitn(3, '$').collect();
        (parts[2], parts[1].len(), parts[0].len())
    }

    #[test]
    fn nobodys_hash_costs_what_anybodys_does() {
        assert_eq!(cost(NOBODY), cost(&hash_now("somebody's password").unwrap()));
    }
}
