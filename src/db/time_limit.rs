//! How long the database work of one request may take.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::problem::{Error, Result};

/// The longest time that one read may take once it has a connection. Together with the wait for the connection and the
/// probe of a broken one, the total stays below five seconds. PostgreSQL's `statement_timeout` is shorter.
pub(super) const READ_LIMIT: Duration = Duration::from_millis(3800);
/// The longest time that one write may take, from the wait for a connection to the commit.
pub(super) const WRITE_LIMIT: Duration = Duration::from_millis(4500);
/// The longest time that several reads and writes of one request may take together.
pub(super) const TOTAL_LIMIT: Duration = Duration::from_millis(4800);

/// Runs work that reads and writes several times, within the time limit of one request.
///
/// # Errors
/// [`Error::Unavailable`] when the time limit is exceeded, otherwise the error that `work` returns.
pub async fn within_limit<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within_limit_since(Instant::now(), work).await
}

/// Runs work as [`within_limit`] does, with a time limit that counts from an earlier start.
pub async fn within_limit_since<T, E: From<Error>>(
    start: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout_at(start + TOTAL_LIMIT, work).await.unwrap_or_else(|_| Err(Error::Unavailable.into()))
}
