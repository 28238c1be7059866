//! Whose access has changed: their older tokens are refused within two seconds, on every instance.

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

use super::tokens::access_tokens::Claims;
use crate::{
    db::Conn,
    problem::{Error, Result},
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How old the knowledge may be before tokens are no longer believed.
const STALE: Duration = Duration::from_secs(2);

/// The moments from which on an account's or a client's tokens are good.
#[derive(Debug, Default)]
pub struct Revocations(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    since: HashMap<Uuid, u64>,
    read_at: Option<Instant>,
}

impl Revocations {
    /// Whether the token was issued before its bearer's access changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database has not been heard of for two seconds.
    pub fn revoked(&self, claims: &Claims) -> Result<bool> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if known.read_at.is_none_or(|read_at| read_at.elapsed() > STALE) {
            return Err(Error::Unavailable);
        }
        if known.since.is_empty() {
            return Ok(false);
        }
        let since = Uuid::try_parse(&claims.sub).ok().and_then(|id| known.since.get(&id));
        Ok(since.is_some_and(|since| claims.iat < *since))
    }

    /// Reads from the database whose access changed while tokens that live now may have been issued.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn refresh(&self, mut conn: &Conn) -> Result<()> {
        let query = "select id, disabled, access_changed_at from accounts \
                     where access_changed_at > now() - interval '15 minutes' \
                     union all \
                     select id, disabled, access_changed_at from clients \
                     where access_changed_at > now() - interval '15 minutes'";
        let asked_at = Instant::now();
        let rows = diesel::sql_query(query).load::<Changed>(&mut conn);
        let rows = tokio::time::timeout(PATIENCE, rows).await.map_err(|_| Error::Unavailable)??;
        let since = rows.into_iter().map(|row| (row.id, row.good_from())).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Known { since, read_at: Some(asked_at) };
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    disabled: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    access_changed_at: Option<DateTime<Utc>>,
}

impl Changed {
    /// No token of who is disabled is good, whatever the clock that it was issued by said.
    fn good_from(&self) -> u64 {
        if self.disabled { u64::MAX } else { first_good_second(self.access_changed_at) }
    }
}

/// A token's `iat` counts whole seconds: one that was issued in the second of the change may be older
/// than the change, so the first good one is of the next second.
fn first_good_second(changed: Option<DateTime<Utc>>) -> u64 {
    changed.and_then(|at| u64::try_from(at.timestamp() + 1).ok()).unwrap_or_default()
}

/// The time to issue a token at: when what it says was read, or the first second in which it is good after the last
/// change. `read_at` is PostgreSQL's `clock_timestamp()`, as the moments of changes are: by an instance's own clock that
/// is ahead, a token would seem to be of after a change that it is older than.
pub fn issue_at(access_changed_at: Option<DateTime<Utc>>, read_at: DateTime<Utc>) -> DateTime<Utc> {
    let issued = read_at.min(Utc::now());
    let first = i64::try_from(first_good_second(access_changed_at)).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    first.map_or(issued, |first| issued.max(first))
}
