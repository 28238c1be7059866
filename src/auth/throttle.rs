//! Throttles sign-in: after several failures in a row, further attempts for the account from the same address have to wait.
//! Attempts from other addresses do not, so an attacker cannot lock anybody out. PostgreSQL counts the failures for all
//! instances.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, LazyLock, PoisonError, Weak},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::sql, prelude::*, sql_types::Integer};
use diesel_async::RunQueryDsl;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    admission::{Admission, Permit},
    clock,
    db::{Conn, sql_functions::clock_now},
    problem::{Error, Result},
    schema::{sign_in_failures, sign_in_failures::dsl},
};

/// The number of failures in a row after which an attempt has to wait.
const FREE_FAILURES: i32 = 5;
/// How many minutes after the last failure the next attempt is allowed and the failures no longer count.
const PAUSE_MINUTES: i64 = 15;

/// The locks of the attempts that are in progress.
static LOCKS: LazyLock<std::sync::Mutex<HashMap<Attempt, Weak<Mutex<()>>>>> = LazyLock::new(Default::default);

/// An attempt to sign in as an account or a client, from an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// A hash of the e-mail address or of the client's id, so that the table of failures contains neither.
    subject: Vec<u8>,
    address: String,
}

impl Attempt {
    /// Describes an attempt to sign in as `subject` from `address`.
    pub fn new(subject: &str, address: Option<IpAddr>) -> Self {
        let address = address.map_or_else(|| "unknown".to_owned(), |address| network(address).to_string());
        Self { subject: Sha256::digest(subject).to_vec(), address }
    }

    /// Returns a permit to hash a password for this address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when too many passwords are being hashed, for this address or in total.
    pub fn hashing_permit(&self, hashing: &Admission<String>) -> Result<Permit<String>> {
        hashing.admit(&self.address).ok_or(Error::TooManyRequests(1))
    }

    /// Waits until this is the only attempt for the same account from the same address. Hold the lock until the outcome is
    /// recorded: otherwise many attempts at once would all be allowed before the first of them has failed.
    pub async fn lock(&self) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let existing = locks.get(self).and_then(Weak::upgrade);
            existing.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(self.clone(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }

    /// Checks that the attempt does not have to wait. Returns whether earlier attempts have failed.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the seconds to wait.
    pub async fn check_allowed(&self, mut conn: &Conn) -> Result<bool> {
        let row: Option<(i32, DateTime<Utc>)> = sign_in_failures::table
            .find((&self.subject, &self.address))
            .select((dsl::failures, dsl::last_failed_at))
            .first(&mut conn)
            .await
            .optional()?;
        let Some((count, last_failed_at)) = row else { return Ok(false) };
        let wait = last_failed_at + TimeDelta::minutes(PAUSE_MINUTES) - clock::now();
        if count >= FREE_FAILURES && wait > TimeDelta::zero() {
            return Err(Error::TooManyRequests(u32::try_from(wait.num_seconds() + 1).unwrap_or(u32::MAX)));
        }
        Ok(true)
    }

    /// Counts a failure.
    pub async fn record_failure(&self, mut conn: &Conn) -> Result<()> {
        // PostgreSQL adds, so that failures on several instances at once are all counted. It stops far below the largest
        // integer.
        let count = sql::<Integer>(&format!(
            "case when sign_in_failures.last_failed_at < clock_now() - interval '{PAUSE_MINUTES} minutes' then 1 \
             else least(sign_in_failures.failures, 1000000) + 1 end",
        ));
        diesel::insert_into(sign_in_failures::table)
            .values((dsl::subject.eq(&self.subject), dsl::address.eq(&self.address)))
            .on_conflict((dsl::subject, dsl::address))
            .do_update()
            .set((dsl::failures.eq(count), dsl::last_failed_at.eq(clock_now())))
            .execute(&mut conn)
            .await?;
        Ok(())
    }

    /// Deletes the count of failures after a successful attempt.
    pub async fn clear_failures(&self, mut conn: &Conn) -> Result<()> {
        diesel::delete(sign_in_failures::table.find((&self.subject, &self.address))).execute(&mut conn).await?;
        Ok(())
    }
}

/// Returns the address to count by. An IPv6 subscriber has a whole /64 network, so it counts as one address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
