//! What the service clears away by itself: rows whose time is over.
//!
//! Every instance does it; rows that another one is deleting are left to it.

use std::time::Duration;

use diesel_async::RunQueryDsl as _;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    db::{Conn, establish},
    domain::lifetimes::IDEMPOTENCY_KEY_HOURS,
    problem::Result,
};

/// How many rows one statement deletes at most, so that none takes long.
const BATCH: usize = 1000;
/// How often it is done.
const EVERY: Duration = Duration::from_mins(10);
/// Up to so many seconds more, so that the instances do not come all at once.
const JITTER: u128 = 60;
/// How long after the start it is done first, for a service that is restarted often.
const FIRST: Duration = Duration::from_secs(5);

/// Returns each table that has expired rows, with the condition that such a row meets. Add a line for each table whose rows
/// expire.
fn chores() -> [(&'static str, String); 4] {
    [
        ("sessions", "expires_at < clock_now()".to_owned()),
        ("invitations", "expires_at < clock_now()".to_owned()),
        ("idempotency_keys", format!("created_at < clock_now() - interval '{IDEMPOTENCY_KEY_HOURS} hours'")),
        ("sign_in_failures", "last_failed_at < clock_now() - interval '15 minutes'".to_owned()),
    ]
}

/// Clears away what is over; gives how many rows that were.
///
/// # Errors
/// When the database is away.
pub async fn tidy(mut conn: &Conn) -> Result<usize> {
    let mut total = 0;
    for (table, over) in chores() {
        let delete = format!(
            "delete from {table} where ctid = any(array( \
             select ctid from {table} where {over} limit {BATCH} for update skip locked))"
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

/// Keeps the house for as long as the service runs.
pub async fn keep(database_url: String) {
    sleep(FIRST).await;
    loop {
        match once(&database_url).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "cleared away what is over"),
            Err(error) => tracing::warn!(%error, "what is over could not be cleared away; it is tried again"),
        }
        let jitter = u64::try_from(Uuid::new_v4().as_u128() % JITTER).unwrap_or_default();
        sleep(EVERY + Duration::from_secs(jitter)).await;
    }
}

async fn once(database_url: &str) -> Result<usize> {
    tidy(&establish(database_url.to_owned()).await?).await
}
