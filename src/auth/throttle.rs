//! Throttles sign-in. After several failures in a row, further attempts for the account from the same address have to wait.
//! Attempts from other addresses do not, so an attacker cannot lock anybody out. After many failures from all addresses
//! together, only addresses from which an account has signed in before can try. PostgreSQL counts the failures for all
//! instances.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, LazyLock, PoisonError, Weak},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    failures::Failure,
    hashing_places::{HashingPlaces, Place},
    known_addresses,
    network_address::NetworkAddress,
};
use crate::{
    clock,
    db::{Conn, Db},
    domain::lifetimes::SIGN_IN_PAUSE_MINUTES,
    problem::{Error, Result},
    schema::{sign_in_failures, sign_in_failures::dsl},
};

/// The number of failures in a row after which an attempt has to wait.
const FREE_FAILURES: i32 = 5;
/// The number of failures for one account from all addresses together after which only known addresses can try.
const FREE_FAILURES_OF_ALL: i32 = 100;
/// The same for addresses from which other accounts have signed in: an attacker with an account of its own could otherwise
/// make new addresses known by signing in, and go on guessing from them.
const FREE_FAILURES_OF_KNOWN: i32 = 1000;
/// The address under which the failures from all addresses together are counted.
const ALL_ADDRESSES: &str = "all";

/// The locks of the attempts that are in progress, by their subject and the address that they count for.
static LOCKS: LazyLock<std::sync::Mutex<Locks>> = LazyLock::new(Default::default);

type Locks = HashMap<(Vec<u8>, String), Weak<Mutex<()>>>;

/// An attempt to sign in as an account or with a secret, from an address.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// A hash of the e-mail address or of the kind of secret, so that the table of failures does not contain the e-mail
    /// address.
    subject: Vec<u8>,
    /// The address for which a failure counts.
    counted_for: String,
    /// The e-mail address of the account; none for an attempt with a secret.
    email: Option<String>,
    address: NetworkAddress,
}

/// The history of an attempt: earlier failures, and earlier successes from its address.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// True if earlier attempts for the account from this address have failed.
    pub failed_before: bool,
    /// True if any account has signed in from this address before.
    pub is_known: bool,
}

impl Attempt {
    /// Describes an attempt to sign in as the account with this e-mail address from `address`.
    pub fn for_account(email: &str, address: Option<IpAddr>) -> Self {
        let address = NetworkAddress::of(address);
        let subject = Sha256::digest(email).to_vec();
        Self { subject, counted_for: address.address_text(), email: Some(email.to_owned()), address }
    }

    /// Describes an attempt with a secret of this kind. Nobody can guess 256 random bits, and a right secret is accepted
    /// however many attempts have failed. So failures of all secrets of a kind count together, for the whole network around
    /// the address, and what is stored about them stays small.
    pub fn with_secret(kind: &str, address: Option<IpAddr>) -> Self {
        let address = NetworkAddress::of(address);
        let subject = Sha256::digest(kind).to_vec();
        Self { subject, counted_for: address.prefix_text(), email: None, address }
    }

    /// Returns the address of the attempt.
    pub fn address(&self) -> NetworkAddress {
        self.address
    }

    /// Returns a place to hash a password.
    ///
    /// # Errors
    /// [`Error::SignInBusy`] when this address, or the network around it, already holds its share of the places.
    pub async fn place(&self, db: &Db, places: &HashingPlaces) -> Result<Place> {
        if let Some(place) = places.admit(self.address) {
            return Ok(place);
        }
        let is_known = db.read(async |conn| known_addresses::is_known(conn, self.address).await).await?;
        if is_known { self.place_of_known(places) } else { Err(Error::SignInBusy) }
    }

    /// Returns a place to hash a password for a caller that is known, for example by its invitation.
    ///
    /// # Errors
    /// The error of [`Self::place`].
    pub fn place_of_known(&self, places: &HashingPlaces) -> Result<Place> {
        places.admit_known(self.address).ok_or(Error::SignInBusy)
    }

    /// Waits until this is the only attempt for the same account from the same address. Hold the lock until the outcome is
    /// recorded: otherwise many attempts at once would all be allowed before the first of them has failed.
    pub async fn lock(&self) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let key = (self.subject.clone(), self.counted_for.clone());
            let existing = locks.get(&key).and_then(Weak::upgrade);
            existing.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(key, Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }

    /// Checks that the attempt does not have to wait. The answer depends on the address and on earlier failures, and not on
    /// whether the account exists.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the seconds to wait.
    pub async fn check_allowed(&self, mut conn: &Conn) -> Result<Standing> {
        let rows: Vec<(String, i32, DateTime<Utc>)> = sign_in_failures::table
            .filter(dsl::subject.eq(&self.subject))
            .filter(dsl::address.eq_any([&self.counted_for, ALL_ADDRESSES]))
            .select((dsl::address, dsl::failures, dsl::last_failed_at))
            .load(&mut conn)
            .await?;
        let (is_known, is_known_to_account) = match &self.email {
            Some(email) => (
                known_addresses::is_known(conn, self.address).await?,
                known_addresses::is_known_to(conn, email, self.address).await?,
            ),
            None => (false, false),
        };
        let wait_for = |(address, failures, last_failed_at): &(String, i32, DateTime<Utc>)| {
            let free = match (address == ALL_ADDRESSES, is_known_to_account, is_known) {
                (false, ..) => FREE_FAILURES,
                (true, true, _) => i32::MAX,
                (true, false, true) => FREE_FAILURES_OF_KNOWN,
                (true, false, false) => FREE_FAILURES_OF_ALL,
            };
            (*failures >= free).then(|| *last_failed_at + TimeDelta::minutes(SIGN_IN_PAUSE_MINUTES) - clock::now())
        };
        let wait = rows.iter().filter_map(wait_for).max().filter(|wait| *wait > TimeDelta::zero());
        if let Some(wait) = wait {
            return Err(Error::TooManyRequests(u32::try_from(wait.num_seconds() + 1).unwrap_or(u32::MAX)));
        }
        let failed_before = rows.iter().any(|(address, ..)| *address == self.counted_for);
        Ok(Standing { failed_before, is_known })
    }

    /// Returns the failure of this attempt, to be recorded.
    pub fn failure(&self) -> Failure {
        let mut addresses = vec![self.counted_for.clone()];
        if self.email.is_some() {
            addresses.push(ALL_ADDRESSES.to_owned());
        }
        Failure { subject: self.subject.clone(), addresses }
    }

    /// Deletes the count of failures from this address after a successful attempt. The failures of all addresses together
    /// still count, because the attacker goes on.
    pub async fn clear_failures(&self, mut conn: &Conn) -> Result<()> {
        let row = sign_in_failures::table.find((&self.subject, &self.counted_for));
        diesel::delete(row).execute(&mut conn).await?;
        Ok(())
    }
}
