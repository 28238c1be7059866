//! Housekeeping: deletes expired rows from time to time.
//!
//! Every instance does it. An instance skips the rows that another instance is deleting.

use std::time::Duration;

use diesel_async::RunQueryDsl as _;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    connection_parameters::ConnectionParameters,
    db::{Conn, establish, sql_functions::set_clock_offset},
    domain::lifetimes::{IDEMPOTENCY_KEY_HOURS, KNOWN_ADDRESS_DAYS, SIGN_IN_PAUSE_MINUTES},
    problem::Result,
};

/// The maximum number of rows that one statement deletes, so that no statement takes long.
const BATCH: usize = 1000;
/// The time between two runs.
const INTERVAL: Duration = Duration::from_mins(10);
/// The maximum random addition to the interval, in seconds. It keeps the instances from running at the same time.
const MAX_JITTER_SECONDS: u128 = 60;
/// The time from the start of the service to the first run. It is short because a service may be restarted often.
const FIRST_DELAY: Duration = Duration::from_secs(5);

/// Returns each table whose rows expire, and the condition that its expired rows meet.
fn expired() -> [(&'static str, String); 6] {
    [
        ("sessions", "expires_at < clock_now()".to_owned()),
        ("invitations", "expires_at < clock_now()".to_owned()),
        ("idempotency_keys", format!("created_at < clock_now() - interval '{IDEMPOTENCY_KEY_HOURS} hours'")),
        ("written_bytes", "day < (clock_now() at time zone 'UTC')::date - 1".to_owned()),
        ("sign_in_failures", format!("last_failed_at < clock_now() - interval '{SIGN_IN_PAUSE_MINUTES} minutes'")),
        ("known_addresses", format!("last_used_at < clock_now() - interval '{KNOWN_ADDRESS_DAYS} days'")),
    ]
}

/// Deletes all expired rows and returns their number.
pub async fn delete_expired(mut conn: &Conn) -> Result<usize> {
    let mut total = 0;
    for (table, condition) in expired() {
        let delete = format!(
            "delete from {table} where ctid = any(array( \
             select ctid from {table} where {condition} limit {BATCH} for update skip locked))"
        );
        loop {
            let deleted = diesel::sql_query(&delete).execute(&mut conn).await?;
            total += deleted;
            if deleted < BATCH {
                break;
            }
        }
    }
    Ok(total)
}

/// Deletes expired rows every ten minutes, for as long as the service runs.
pub async fn run(parameters: ConnectionParameters) {
    sleep(FIRST_DELAY).await;
    loop {
        match run_once(&parameters).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted expired rows"),
            Err(error) => tracing::warn!(%error, "cannot delete expired rows; the next run tries again"),
        }
        let jitter = u64::try_from(Uuid::new_v4().as_u128() % MAX_JITTER_SECONDS).unwrap_or_default();
        sleep(INTERVAL + Duration::from_secs(jitter)).await;
    }
}

async fn run_once(parameters: &ConnectionParameters) -> Result<usize> {
    let conn = establish(parameters).await?;
    set_clock_offset(&conn).await?;
    delete_expired(&conn).await
}
