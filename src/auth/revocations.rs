//! Revocations: when the access of an account or a client changes, every instance refuses its older tokens within two
//! seconds.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{Bool, Nullable, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::tokens::claims::Claims;
use crate::{
    db::Conn,
    problem::{Error, Result},
};

/// The longest time that one refresh may take.
const REFRESH_LIMIT: Duration = Duration::from_secs(1);
/// The age at which the last refresh is too old for accepting tokens.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The accounts and clients whose access has changed recently, as of the last refresh.
#[derive(Debug, Default)]
pub struct Revocations(RwLock<Snapshot>);

#[derive(Debug, Default)]
struct Snapshot {
    /// By account or client: the first second in which a token must have been issued, in seconds since 1970.
    valid_from: HashMap<Uuid, u64>,
    read_at: Option<Instant>,
}

impl Revocations {
    /// Returns whether the token was issued before the access of its account or client changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the last refresh is more than two seconds old.
    pub fn is_revoked(&self, claims: &Claims) -> Result<bool> {
        let snapshot = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if snapshot.read_at.is_none_or(|read_at| read_at.elapsed() > MAX_AGE) {
            return Err(Error::Unavailable);
        }
        if snapshot.valid_from.is_empty() {
            return Ok(false);
        }
        let valid_from = Uuid::try_parse(&claims.sub).ok().and_then(|id| snapshot.valid_from.get(&id));
        Ok(valid_from.is_some_and(|valid_from| claims.iat < *valid_from))
    }

    /// Reads the changes of access from the database. Older changes do not matter: the tokens that were issued before
    /// them have expired.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer in time.
    pub async fn refresh(&self, mut conn: &Conn) -> Result<()> {
        let query = "select id, disabled, access_changed_at from accounts \
                     where access_changed_at > now() - interval '15 minutes' \
                     union all \
                     select id, disabled, access_changed_at from clients \
                     where access_changed_at > now() - interval '15 minutes'";
        let started_at = Instant::now();
        let rows = diesel::sql_query(query).load::<ChangedAccess>(&mut conn);
        let rows = tokio::time::timeout(REFRESH_LIMIT, rows).await.map_err(|_| Error::Unavailable)??;
        let valid_from = rows.into_iter().map(|row| (row.id, row.valid_from())).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Snapshot { valid_from, read_at: Some(started_at) };
        Ok(())
    }
}

#[derive(QueryableByName)]
struct ChangedAccess {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    disabled: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    access_changed_at: Option<DateTime<Utc>>,
}

impl ChangedAccess {
    /// Returns the first second in which a token must have been issued. No token is valid while the account or client
    /// is disabled, however far ahead the clock of the issuing instance was.
    fn valid_from(&self) -> u64 {
        if self.disabled { u64::MAX } else { first_valid_second(self.access_changed_at) }
    }
}

/// Returns the first second in which a token must have been issued. `iat` counts whole seconds, so a token that was
/// issued in the second of the change may be older than the change: the first valid second is the next one.
fn first_valid_second(changed_at: Option<DateTime<Utc>>) -> u64 {
    changed_at.and_then(|at| u64::try_from(at.timestamp() + 1).ok()).unwrap_or_default()
}

/// Returns the issue time of a token: the time at which its content was read, or the first valid second after the last
/// change if that is later.
///
/// `read_at` is PostgreSQL's `clock_timestamp()`, like the times of the changes. The clock of an instance could be
/// ahead: a token with content from before a change would then seem to be issued after it.
pub fn issue_at(access_changed_at: Option<DateTime<Utc>>, read_at: DateTime<Utc>) -> DateTime<Utc> {
    let issued = read_at.min(Utc::now());
    let first = i64::try_from(first_valid_second(access_changed_at)).ok();
    let first = first.and_then(|second| DateTime::from_timestamp(second, 0));
    first.map_or(issued, |first| issued.max(first))
}
