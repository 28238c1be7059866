//! What the service clears away by itself: rows whose time is over.
//!
//! Every instance does it; rows that another one is deleting are left to it.

use std::time::Duration;

use diesel_async::RunQueryDsl as _;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    db::{Conn, establish},
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

/// A table and which of its rows are over. Add a line for each table that something expires in.
const CHORES: &[(&str, &str)] = &[
    ("sessions", "expires_at < now()"),
    ("invitations", "expires_at < now()"),
    ("idempotency_keys", "created_at < now() - interval '24 hours'"),
    ("sign_in_failures", "last_failed_at < now() - interval '15 minutes'"),
];

/// Clears away what is over; gives how many rows that were.
///
/// # Errors
/// When the database is away.
pub async fn tidy(mut conn: &Conn) -> Result<usize> {
    let mut total = 0;
    for (table, over) in CHORES {
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
