//! The quota of written bytes: how much each caller may write in a day, so that no caller can fill the disk.
//!
//! The quota counts the body of each write that succeeds, because the caller knows its length. A write stores several times
//! as much: the row, its index entries, the texts for the search and a line of the ledger. A small write also has these, so
//! each write counts as at least `MIN_COST`. With an `Idempotency-Key` the answer is stored too, so the write counts twice;
//! this also bounds the saved answers of a caller. In total a caller stores at most about five times its quota in a day.
//!
//! PostgreSQL has the counts, so that they hold for all instances and after a restart. A write does not touch them: all
//! writes of a caller would wait for the lock on its row. Instead an instance counts in memory, and adds what it has counted
//! to the row whenever that exceeds a step. It reads the row when its knowledge of the other instances is older than
//! `REFRESH_INTERVAL`. Both happen beside the write. So an instance may exceed the quota by one step, and by the writes that
//! arrive before its first read. When it stops, it forgets at most one step for each caller.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use diesel::{prelude::*, upsert::excluded};
use diesel_async::RunQueryDsl;

use crate::{
    clock,
    db::{Author, Db},
    problem::{
        Error, Result,
        rate_limit::{Policy, RateLimit},
    },
    schema::{written_bytes, written_bytes::dsl},
};

/// The minimum number of bytes that a write counts.
const MIN_COST: u64 = 1024;
/// The maximum number of bytes that an instance counts before it adds them to the row of the caller.
const MAX_STEP: u64 = 1 << 20;
/// The age at which an instance reads again what the other instances have counted.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);
/// The seconds of a day.
const DAY: u32 = 86_400;

/// Counts the bytes that each caller writes.
#[derive(Debug)]
pub struct WriteQuota {
    policy: Policy,
    callers: Mutex<HashMap<String, Usage>>,
}

/// What a caller has written on a day.
#[derive(Debug)]
struct Usage {
    day: NaiveDate,
    /// The count in PostgreSQL, and when it was read; none before the first time.
    stored: Option<(u64, Instant)>,
    /// The bytes that are being added to the row, while the row is being read or written.
    in_transit: Option<i64>,
    /// The bytes that this instance has counted since. Negative when a failed write was taken back.
    counted: i64,
}

/// Bytes that were counted before a write, and are taken back if it fails.
#[derive(Debug)]
#[must_use]
pub struct Reserved {
    caller: String,
    day: NaiveDate,
    bytes: u64,
}

/// Returns what a write with a body of this many bytes counts.
pub fn cost(body: u64, saves_answer: bool) -> u64 {
    body.max(MIN_COST) * if saves_answer { 2 } else { 1 }
}

impl WriteQuota {
    /// Allows each caller to write this many mebibytes in a day; 0 allows any number.
    pub fn new(mebibytes: u32) -> Self {
        let quota = u64::from(mebibytes) << 20;
        let policy = Policy { name: "written-bytes", quota, window: DAY, unit: Some("content-bytes") };
        Self { policy, callers: Mutex::default() }
    }

    /// Returns whether there is a quota.
    pub fn is_on(&self) -> bool {
        self.policy.quota > 0
    }

    /// Counts a write of this caller before it is carried out. It does not wait for PostgreSQL: a request whose body cannot be
    /// read must not be waiting for anything else, or the HTTP library drops it without an answer.
    ///
    /// # Errors
    /// [`Error::WriteQuotaExceeded`] when the caller has too little left.
    pub fn reserve(self: &Arc<Self>, db: &Db, caller: String, bytes: u64) -> Result<Reserved> {
        let day = clock::now().date_naive();
        let (used, to_add) = self.usage(&caller, day, |usage| {
            let used = usage.used();
            if used + bytes <= self.policy.quota {
                usage.counted += signed(bytes);
            }
            (used, usage.begin_synchronising(self.step()))
        });
        if let Some(bytes) = to_add {
            let synchronised = Arc::clone(self).synchronise(db.clone(), caller.clone(), day, bytes);
            // A task of its own: the future of the request is dropped when the client disconnects.
            drop(actix_web::rt::spawn(synchronised));
        }
        if used + bytes <= self.policy.quota { Ok(Reserved { caller, day, bytes }) } else { Err(self.exceeded(used)) }
    }

    /// Corrects a reservation once the write is done: it counts this many bytes.
    pub fn settle(&self, reserved: &Reserved, bytes: u64) {
        let difference = signed(bytes) - signed(reserved.bytes);
        if difference != 0 {
            self.correct(&reserved.caller, reserved.day, |usage| usage.counted += difference);
        }
    }

    /// Adds bytes to the row of the caller, if there are any, and learns what all instances have added. If that fails, the
    /// next write tries again.
    async fn synchronise(self: Arc<Self>, db: Db, caller: String, day: NaiveDate, bytes: i64) {
        let outcome =
            if bytes > 0 { add(&db, caller.clone(), day, bytes).await } else { read(&db, &caller, day).await };
        self.correct(&caller, day, |usage| {
            usage.in_transit = None;
            match outcome {
                Ok(stored) => usage.stored = Some((stored, Instant::now())),
                Err(_) => usage.counted += bytes,
            }
        });
    }

    fn step(&self) -> i64 {
        signed((self.policy.quota / 16).min(MAX_STEP))
    }

    fn exceeded(&self, used: u64) -> Error {
        let now = clock::now();
        let midnight = (now.date_naive() + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc();
        let wait = u32::try_from((midnight - now).num_seconds() + 1).unwrap_or(DAY).min(DAY);
        let remaining = self.policy.quota.saturating_sub(used);
        Error::WriteQuotaExceeded(RateLimit { policy: self.policy, remaining, reset: wait, retry_after: wait })
    }

    /// Calls `work` with what the caller has written on this day. What it wrote on an earlier day is forgotten.
    fn usage<T>(&self, caller: &str, day: NaiveDate, work: impl FnOnce(&mut Usage) -> T) -> T {
        let mut callers = self.callers();
        match callers.get_mut(caller) {
            Some(usage) if usage.day == day => work(usage),
            _ => {
                callers.retain(|_, usage| usage.day >= day);
                work(callers.entry(caller.to_owned()).or_insert_with(|| Usage::on(day)))
            }
        }
    }

    /// Calls `work` with what the caller has written on this day, unless a later day has begun for the caller.
    fn correct(&self, caller: &str, day: NaiveDate, work: impl FnOnce(&mut Usage)) {
        if let Some(usage) = self.callers().get_mut(caller).filter(|usage| usage.day == day) {
            work(usage);
        }
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<String, Usage>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usage {
    fn on(day: NaiveDate) -> Self {
        Self { day, stored: None, in_transit: None, counted: 0 }
    }

    fn used(&self) -> u64 {
        let stored = self.stored.map_or(0, |(bytes, _)| bytes);
        stored.saturating_add_signed(self.in_transit.unwrap_or_default() + self.counted)
    }

    /// Returns the bytes that must be added to the row now: none while some are being added, and before there is a step of
    /// them or the stored count is outdated.
    fn begin_synchronising(&mut self, step: i64) -> Option<i64> {
        let is_outdated = self.stored.is_none_or(|(_, read_at)| read_at.elapsed() > REFRESH_INTERVAL);
        if self.in_transit.is_some() || !is_outdated && self.counted < step {
            return None;
        }
        let bytes = if self.counted < step { 0 } else { std::mem::take(&mut self.counted) };
        self.in_transit = Some(bytes);
        self.in_transit
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Returns what all instances have added for the caller.
async fn read(db: &Db, caller: &str, day: NaiveDate) -> Result<u64> {
    let query = written_bytes::table.find((day, caller)).select(dsl::bytes);
    let bytes: Option<i64> = db.read(async |mut conn| Ok(query.first(&mut conn).await.optional()?)).await?;
    Ok(u64::try_from(bytes.unwrap_or_default()).unwrap_or_default())
}

/// Adds bytes for the caller. Returns what all instances have added.
async fn add(db: &Db, caller: String, day: NaiveDate, bytes: i64) -> Result<u64> {
    let row = (dsl::day.eq(day), dsl::caller.eq(caller), dsl::bytes.eq(bytes));
    let upsert = diesel::insert_into(written_bytes::table)
        .values(row)
        .on_conflict((dsl::day, dsl::caller))
        .do_update()
        .set(dsl::bytes.eq(dsl::bytes + excluded(dsl::bytes)))
        .returning(dsl::bytes);
    let stored: i64 =
        db.write(Author::default(), async move |mut conn| Ok(upsert.get_result(&mut conn).await?)).await?;
    Ok(u64::try_from(stored).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_counts_at_least_a_kibibyte_and_twice_when_its_answer_is_saved() {
        assert_eq!([cost(0, false), cost(1024, false), cost(5000, false)], [1024, 1024, 5000]);
        assert_eq!([cost(0, true), cost(5000, true)], [2048, 10_000]);
    }

    #[test]
    fn a_step_is_added_once_and_counts_while_it_is_being_added() {
        let mut usage = Usage { stored: Some((100, Instant::now())), ..Usage::on(NaiveDate::MIN) };
        usage.counted = 60;
        assert_eq!((usage.begin_synchronising(64), usage.used()), (None, 160));
        usage.counted = 70;
        assert_eq!((usage.begin_synchronising(64), usage.used()), (Some(70), 170));
        usage.counted = 80;
        assert_eq!((usage.begin_synchronising(64), usage.used()), (None, 250));
    }

    #[test]
    fn a_correction_after_midnight_leaves_the_new_day_alone() {
        let quota = WriteQuota::new(1);
        let (today, tomorrow) = (NaiveDate::MIN, NaiveDate::MIN + TimeDelta::days(1));
        quota.usage("caller", today, |usage| usage.counted += 5000);
        quota.usage("caller", tomorrow, |usage| usage.counted += 2000);
        quota.settle(&Reserved { caller: "caller".to_owned(), day: today, bytes: 5000 }, 0);
        quota.correct("caller", today, |usage| usage.stored = Some((1 << 20, Instant::now())));
        assert_eq!(quota.usage("caller", tomorrow, |usage| usage.used()), 2000);
        quota.settle(&Reserved { caller: "nobody".to_owned(), day: tomorrow, bytes: 5000 }, 0);
        assert_eq!(quota.usage("nobody", tomorrow, |usage| usage.used()), 0);
    }

    #[test]
    fn a_count_that_is_not_known_is_read_once() {
        let mut usage = Usage { counted: 1, ..Usage::on(NaiveDate::MIN) };
        assert_eq!((usage.begin_synchronising(64), usage.used()), (Some(0), 1));
        assert_eq!(usage.begin_synchronising(64), None);
    }
}
