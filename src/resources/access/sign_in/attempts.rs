//! The outcomes of attempts to sign in.

use crate::{
    auth::throttle::Attempt,
    db::{Author, Db},
    problem::Result,
};

/// Records the outcome of an attempt: counts a failure, or deletes the count of failures after a success.
pub(super) async fn record_outcome(db: &Db, attempt: Attempt, failed_before: bool, succeeded: bool) -> Result<()> {
    match (succeeded, failed_before) {
        (true, false) => Ok(()),
        (true, true) => db.write(Author::default(), async move |conn| attempt.clear_failures(conn).await).await,
        (false, _) => db.write(Author::default(), async move |conn| attempt.record_failure(conn).await).await,
    }
}
