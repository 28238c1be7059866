//! Records failed attempts to sign in. One task writes them, several in one statement and on a connection of its own, so that
//! guesses never use the connections on which signed-in callers write.

use std::time::Duration;

use diesel::sql_types::{Array, Binary, Text};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    connection_parameters::ConnectionParameters,
    db::{Conn, establish, sql_functions::set_clock_offset},
    domain::lifetimes::SIGN_IN_PAUSE_MINUTES,
    problem::{Error, Result},
};

/// The maximum number of failures that one statement writes.
const MAX_BATCH: usize = 64;
/// The longest time that one batch may take.
const TIME_LIMIT: Duration = Duration::from_secs(3);
/// The settings of the session. A crash of PostgreSQL may lose the failures of the last moment, so no caller waits for the
/// disk.
const SETTINGS: &str = "set synchronous_commit = off";

/// A failed attempt: the hash of its subject, and the addresses for which it counts.
#[derive(Debug)]
pub struct Failure {
    /// The hash of the account or of the kind of secret.
    pub subject: Vec<u8>,
    /// The addresses, as the table of failures has them.
    pub addresses: Vec<String>,
}

/// Records failures for as long as the service runs.
#[derive(Clone, Debug)]
pub struct FailureLog(mpsc::Sender<(Failure, Reply)>);

type Reply = oneshot::Sender<Result<()>>;

impl FailureLog {
    /// Starts the task that writes the failures into this database.
    pub fn start(database: ConnectionParameters) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_BATCH);
        actix_web::rt::spawn(write_all(receiver, database));
        Self(sender)
    }

    /// Records a failure.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn record(&self, failure: Failure) -> Result<()> {
        let (reply, recorded) = oneshot::channel();
        self.0.send((failure, reply)).await.map_err(|_| Error::Unavailable)?;
        recorded.await.unwrap_or(Err(Error::Unavailable))
    }
}

async fn write_all(mut receiver: mpsc::Receiver<(Failure, Reply)>, database: ConnectionParameters) {
    let (mut conn, mut batch) = (None, Vec::new());
    while receiver.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let (failures, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let written = timeout(TIME_LIMIT, write(&database, &mut conn, &failures)).await;
        let outcome = written.unwrap_or(Err(Error::Unavailable));
        if let Err(error) = &outcome {
            tracing::warn!(%error, "cannot record failed sign-ins; they are answered with 503");
            conn = None;
        }
        for reply in replies {
            // The request may be gone.
            let _ = reply.send(if outcome.is_ok() { Ok(()) } else { Err(Error::Unavailable) });
        }
    }
}

/// Writes a batch, and opens the connection if there is none.
async fn write(database: &ConnectionParameters, open: &mut Option<Conn>, failures: &[Failure]) -> Result<()> {
    if open.is_none() {
        let mut conn = establish(database).await?;
        conn.batch_execute(SETTINGS).await?;
        *open = Some(conn);
    }
    let conn = open.as_mut().ok_or(Error::Unavailable)?;
    set_clock_offset(conn).await?;
    let rows = || failures.iter().flat_map(|of| of.addresses.iter().map(|address| (&of.subject, address)));
    let (subjects, addresses): (Vec<_>, Vec<_>) = rows().unzip();
    // PostgreSQL adds, so that failures on several instances at once are all counted, and stops far below the largest
    // integer. The order keeps two instances from waiting for each other.
    let statement = format!(
        "insert into sign_in_failures as stored (subject, address, failures, last_failed_at) \
         select subject, address, count(*), clock_now() from unnest($1, $2) as failed (subject, address) \
         group by subject, address order by subject, address \
         on conflict (subject, address) do update set last_failed_at = excluded.last_failed_at, failures = case \
         when stored.last_failed_at < clock_now() - interval '{SIGN_IN_PAUSE_MINUTES} minutes' then excluded.failures \
         else least(stored.failures, 1000000) + excluded.failures end"
    );
    let insert = diesel::sql_query(statement).bind::<Array<Binary>, _>(subjects).bind::<Array<Text>, _>(addresses);
    insert.execute(conn).await?;
    Ok(())
}
