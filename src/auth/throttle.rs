//! Failed sign-ins are counted per account *and* address, in PostgreSQL: it holds for all instances, and
//! an attacker elsewhere locks nobody out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, LazyLock, PoisonError, Weak},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{now, sql},
    prelude::*,
    sql_types::Integer,
};
use diesel_async::RunQueryDsl;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::admission::{Place, Places};
use crate::{
    db::Conn,
    problem::{Error, Result},
    schema::sign_in_failures as failures,
};

/// After this many failures in a row, the next try waits.
const FREE_TRIES: i32 = 5;
/// How long it waits, and after how long a failure is forgotten.
const PAUSE: TimeDelta = TimeDelta::minutes(15);

/// The turns of those who try now.
static TURNS: LazyLock<std::sync::Mutex<HashMap<Attempt, Weak<Mutex<()>>>>> = LazyLock::new(Default::default);

/// A try to sign in: as whom, from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    subject: Vec<u8>,
    address: String,
}

impl Attempt {
    /// As this account or client, from this address.
    pub fn new(subject: &str, address: Option<IpAddr>) -> Self {
        let address = address.map_or_else(|| "unknown".to_owned(), |address| network(address).to_string());
        Self { subject: Sha256::digest(subject).to_vec(), address }
    }

    /// A place among those whose passwords are hashed; an address gets some of them only.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when none is left for its address.
    pub fn place(&self, trying: &Places<String>) -> Result<Place<String>> {
        trying.take(&self.address).ok_or(Error::TooManyRequests(1))
    }

    /// Waits for its turn: tries of one account from one address go one after the other, or many at once would all pass
    /// before the first has failed. Hold it until the outcome is remembered.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(self).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(self.clone(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Passes unless there were too many failures of late; tells whether there were any.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the seconds to wait.
    pub async fn admit(&self, mut conn: &Conn) -> Result<bool> {
        let row: Option<(i32, DateTime<Utc>)> = failures::table
            .find((&self.subject, &self.address))
            .select((failures::failures, failures::last_failed_at))
            .first(&mut conn)
            .await
            .optional()?;
        let Some((count, last)) = row else { return Ok(false) };
        let wait = last + PAUSE - Utc::now();
        if count >= FREE_TRIES && wait > TimeDelta::zero() {
            return Err(Error::TooManyRequests(u32::try_from(wait.num_seconds() + 1).unwrap_or(u32::MAX)));
        }
        Ok(true)
    }

    /// Remembers a failure.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn failed(&self, mut conn: &Conn) -> Result<()> {
        // An old row starts anew; the arithmetic is the database's, so that parallel failures all count.
        let counted = sql::<Integer>(
            "case when sign_in_failures.last_failed_at < now() - interval '15 minutes' then 1 \
             else least(sign_in_failures.failures, 1000000) + 1 end",
        );
        diesel::insert_into(failures::table)
            .values((failures::subject.eq(&self.subject), failures::address.eq(&self.address)))
            .on_conflict((failures::subject, failures::address))
            .do_update()
            .set((failures::failures.eq(counted), failures::last_failed_at.eq(now)))
            .execute(&mut conn)
            .await?;
        Ok(())
    }

    /// Forgets the failures, after a success.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn succeeded(&self, mut conn: &Conn) -> Result<()> {
        diesel::delete(failures::table.find((&self.subject, &self.address))).execute(&mut conn).await?;
        Ok(())
    }
}

/// An IPv6 subscriber has a whole /64: it counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
