//! Access to the database: reads on shared connections, writes in transactions on pooled connections.

use deadpool::Status;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, pooled_connection::deadpool::Pool};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    batching::coalesce::Queues,
    connection::Conn,
    shared_connection::SharedConnection,
    time_limit::{READ_LIMIT, WRITE_LIMIT},
    transaction::{Author, Authors, Unfinished, transaction},
};
use crate::{
    connection_parameters::{CONNECTION_LIMIT, ConnectionParameters},
    problem::{Error, Result},
};

/// Makes PostgreSQL use one generic plan for each statement of a quick read: a walk along an index in the order of the
/// result. Otherwise PostgreSQL would plan each statement again for its parameters, which takes two to four times as
/// long as running it on a million rows.
const GENERIC_PLAN: &str = "set plan_cache_mode = force_generic_plan";

/// The database, as one worker uses it.
#[derive(Clone)]
pub struct Db {
    lookups: SharedConnection,
    reads: SharedConnection,
    long_reads: SharedConnection,
    pub(super) queues: Queues,
    pool: Pool<Conn>,
}

impl Db {
    /// Creates a worker's access to the database: its own shared connections, and the pool that all workers use.
    pub fn new(parameters: &ConnectionParameters, pool: Pool<Conn>) -> Self {
        let shared = |settings| SharedConnection::new(parameters, settings);
        let (lookups, reads, long_reads) = (shared(GENERIC_PLAN), shared(GENERIC_PLAN), shared(""));
        Self { lookups, reads, long_reads, queues: Queues::default(), pool }
    }

    /// Runs a quick read on a shared connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer in time, otherwise the error that `work` returns.
    pub async fn read<T>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        read_on(&self.reads, work).await
    }

    /// Runs a read that may take long, such as a search, on a separate connection, so that quick reads do not queue
    /// behind it. PostgreSQL plans it for its parameters.
    ///
    /// # Errors
    /// The errors of [`Self::read`].
    pub async fn read_long<T>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        read_on(&self.long_reads, work).await
    }

    /// Runs a coalesced lookup.
    pub(super) async fn read_lookup<T>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        read_on(&self.lookups, work).await
    }

    /// Runs a write in a transaction. The transaction is finished even when the client disconnects.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer in time, otherwise the error that `work` returns.
    /// Nothing is written then.
    pub async fn write<T, F>(&self, author: Author, work: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(&Conn) -> Result<T> + 'static,
    {
        self.write_as(Authors::One(author), work).await
    }

    /// Runs a write on behalf of one or several authors.
    pub(super) async fn write_as<T, F>(&self, authors: Authors, work: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(&Conn) -> Result<T> + 'static,
    {
        let pool = self.pool.clone();
        // actix drops the handler when the client disconnects, but not a separate task.
        let task = actix_web::rt::spawn(tracing::Instrument::instrument(
            async move {
                let deadline = Instant::now() + WRITE_LIMIT;
                let unfinished = Unfinished::new(pool.get().await?);
                timeout_at(deadline, transaction(unfinished, authors, work)).await.unwrap_or(Err(Error::Unavailable))
            },
            tracing::Span::current(),
        ));
        task.await.unwrap_or_else(|error| Err(Error::Internal(error.into())))
    }

    /// Returns the state of the pool: its connections, and how many requests wait for one.
    pub fn pool_status(&self) -> Status {
        self.pool.status()
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.read(async |mut conn| {
            Ok(diesel::select(diesel::dsl::sql::<Text>("'pong'")).execute(&mut conn).await.map(|_| ())?)
        })
        .await
    }
}

async fn read_on<T>(shared: &SharedConnection, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
    let conn = timeout(CONNECTION_LIMIT, shared.connection()).await.map_err(|_| Error::Unavailable)??;
    let outcome = timeout(READ_LIMIT, work(&conn)).await.unwrap_or(Err(Error::Unavailable));
    if matches!(outcome, Err(Error::Unavailable)) {
        shared.discard_if_broken(&conn).await;
    }
    outcome
}
