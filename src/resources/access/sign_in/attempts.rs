//! The outcomes of attempts to sign in.

use crate::{
    auth::{failures::FailureLog, throttle::Attempt},
    db::{Author, Db},
    problem::Result,
};

/// Records the outcome of an attempt: counts a failure, or deletes the count of failures after a success.
pub(super) async fn record_outcome(
    db: &Db,
    failures: &FailureLog,
    attempt: Attempt,
    failed_before: bool,
    succeeded: bool,
) -> Result<()> {
    match (succeeded, failed_before) {
        (true, false) => Ok(()),
        (true, true) => db.write(Author::default(), async move |conn| attempt.clear_failures(conn).await).await,
        (false, _) => failures.record(attempt.failure()).await,
    }
}

/// Counts an attempt with a wrong secret.
///
/// # Errors
/// [`Error::TooManyRequests`](crate::problem::Error::TooManyRequests) when earlier ones were too many.
pub(super) async fn record_wrong_secret(db: &Db, failures: &FailureLog, attempt: &Attempt) -> Result<()> {
    let _lock = attempt.lock().await;
    db.read(async |conn| attempt.check_allowed(conn).await).await?;
    failures.record(attempt.failure()).await
}
