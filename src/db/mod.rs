//! PostgreSQL, reached in two ways: shared pipelined connections for single reads, a pool for writes.
//!
//! A read waits for no connection and asks no test query. What waits for a lock or needs a transaction never goes on a
//! shared connection, since the reads of the worker queue behind it; rows by key, lists and what may take long have one
//! each.

mod gather;
pub mod insert;
pub(crate) mod keyset;
pub mod ledger;
pub mod local;
pub mod lookup;
pub mod migrations;
pub(crate) mod search;
mod shared;
pub mod types;

use std::{str::FromStr, time::Duration};

use deadpool::{Runtime, Status, managed::Timeouts};
use diesel::{ConnectionError, ConnectionResult, sql_types::Text};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::{FutureExt as _, future::try_join};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::problem::{Error, Result};

/// What queries run on: one connection, shared by those who read at the same time.
pub type Conn = AsyncPgConnection;

/// How long one read may take, once there is a connection. With the wait before it and the probe after it that is less than
/// five seconds; PostgreSQL gives up before.
const READ_LIMIT: Duration = Duration::from_millis(3800);
/// How long one write may take, from the wait for a connection to the commit.
const WRITE_LIMIT: Duration = Duration::from_millis(4500);
/// How long a request waits for a connection of the pool, or for a new one to open.
const WAIT_LIMIT: Duration = Duration::from_millis(800);
/// What every session is set to; PostgreSQL gives up before the service does. The data is in memory or on a disk without
/// arms: with the default `random_page_cost` a filter by a rare value would walk the whole table in the page's order.
const SESSION: &str = "-c statement_timeout=3500 -c lock_timeout=2500 -c idle_in_transaction_session_timeout=5000 \
                       -c timezone=UTC -c random_page_cost=1.1";
/// Of quick reads each statement has one plan, whatever it asks for: an index in the order of the answer. Otherwise PostgreSQL
/// plans them anew each time on a million rows, which takes it two to four times as long as to answer them.
const ONE_PLAN: &str = "-c plan_cache_mode=force_generic_plan";

/// How long several reads and writes of one request may take together.
const TOGETHER_LIMIT: Duration = Duration::from_millis(4800);

/// Who writes and for which request: what the ledger of changes keeps.
#[derive(Clone, Debug, Default)]
pub struct Author {
    /// `account:<id>` or `client:<id>`; none for the service's own command line.
    pub actor: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

/// The door to the database; one for each worker.
#[derive(Clone)]
pub struct Db {
    lookups: shared::Shared,
    reads: shared::Shared,
    long_reads: shared::Shared,
    queues: gather::Queues,
    pool: Pool<Conn>,
}

/// A pool of at most `size` connections, for all workers.
///
/// # Errors
/// When `url` is not a PostgreSQL connection string.
pub fn pool(url: &str, size: usize) -> Result<Pool<Conn>> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| establish(url.to_owned()).boxed());
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait: Some(WAIT_LIMIT), create: Some(WAIT_LIMIT), recycle: Some(WAIT_LIMIT) })
        .build()
        .map_err(|error| Error::Internal(error.into()))
}

/// Opens one connection, set up as all of this service's are.
///
/// # Errors
/// When the URL is wrong or the server does not let in.
pub async fn establish(url: String) -> ConnectionResult<Conn> {
    establish_with(url, "").await
}

async fn establish_with(url: String, options: &str) -> ConnectionResult<Conn> {
    let mut config = tokio_postgres::Config::from_str(&url)
        .map_err(|error| ConnectionError::InvalidConnectionUrl(error.to_string()))?;
    config.options(format!("{SESSION} {options}")).application_name("kuntatutorit").connect_timeout(WAIT_LIMIT);
    // Its own time-out ends with the socket's connection: a server that takes it and is silent would never be given up.
    let connecting = async {
        let connected = config.connect(tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| ConnectionError::BadConnection(with_cause(&error)))?;
        Conn::try_from_client_and_connection(client, connection).await
    };
    let silent = |_| ConnectionError::BadConnection("the server takes the connection and is silent".to_owned());
    timeout(WAIT_LIMIT, connecting).await.map_err(silent)?
}

/// tokio-postgres says what failed and leaves why to the cause.
fn with_cause(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl Db {
    /// A worker's door: shared connections of its own, and the pool of all.
    pub fn new(url: &str, pool: Pool<Conn>) -> Self {
        let shared = |options| shared::Shared::new(url, options);
        let (lookups, reads, long_reads) = (shared(ONE_PLAN), shared(ONE_PLAN), shared(""));
        Self { lookups, reads, long_reads, queues: gather::Queues::default(), pool }
    }

    /// Runs one read on a shared connection, by a plan that serves whatever it asks.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away or too slow, else what `work` returns.
    pub async fn read<T>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        self.read_on(&self.reads, work).await
    }

    /// As [`Self::read`], for what may take long, such as a search: quick reads do not wait behind it. It is planned for what
    /// it asks.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_long<T>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        self.read_on(&self.long_reads, work).await
    }

    async fn read_on<T>(&self, shared: &shared::Shared, work: impl AsyncFnOnce(&Conn) -> Result<T>) -> Result<T> {
        let conn = timeout(WAIT_LIMIT, shared.connection()).await.map_err(|_| Error::Unavailable)??;
        let outcome = timeout(READ_LIMIT, work(&conn)).await.unwrap_or(Err(Error::Unavailable));
        if matches!(outcome, Err(Error::Unavailable)) {
            shared.discard_if_broken(&conn).await;
        }
        outcome
    }

    /// Runs a write in a transaction of its own, to its end even when the caller goes away.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away or too slow, else what `work` returns: nothing is
    /// written then.
    pub async fn write<T, F>(&self, author: Author, work: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(&Conn) -> Result<T> + 'static,
    {
        self.write_signed(Signature::One(author), work).await
    }

    async fn write_signed<T, F>(&self, signature: Signature, work: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(&Conn) -> Result<T> + 'static,
    {
        let pool = self.pool.clone();
        let span = tracing::Span::current();
        let task = actix_web::rt::spawn(tracing::Instrument::instrument(
            async move {
                let deadline = Instant::now() + WRITE_LIMIT;
                let unfinished = Unfinished(Some(pool.get().await?));
                timeout_at(deadline, transaction(unfinished, signature, work)).await.unwrap_or(Err(Error::Unavailable))
            },
            span,
        ));
        task.await.unwrap_or_else(|error| Err(Error::Internal(error.into())))
    }

    /// How the pool is: the most, open and free connections, and who waits for one.
    pub fn pool_status(&self) -> Status {
        self.pool.status()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.read(async |mut conn| {
            Ok(diesel::select(diesel::dsl::sql::<Text>("'pong'")).execute(&mut conn).await.map(|_| ())?)
        })
        .await
    }
}

/// What reads and writes several times; together that takes no longer than one of them may.
///
/// # Errors
/// [`Error::Unavailable`] when it does, else what `work` returns.
pub async fn together<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    together_since(Instant::now(), work).await
}

/// As [`together`], within what is left of that time.
///
/// # Errors
/// As [`together`].
pub async fn together_since<T, E: From<Error>>(
    began: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout_at(began + TOGETHER_LIMIT, work).await.unwrap_or_else(|_| Err(Error::Unavailable.into()))
}

/// A connection in a transaction: unless that comes to its end, the pool does not get it back.
struct Unfinished(Option<Object<Conn>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.take().map(Object::take);
    }
}

async fn transaction<T>(
    mut unfinished: Unfinished,
    signature: Signature,
    work: impl AsyncFnOnce(&Conn) -> Result<T>,
) -> Result<T> {
    let Some(conn) = &unfinished.0 else { return Err(Error::Internal("no connection".into())) };
    // Both are sent at once, in this order: the beginning costs no round trip.
    let outcome = try_join(say(conn, &signature.begin()), work(conn)).await;
    say(conn, if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.inspect_err(|error| {
        tracing::warn!(%error, "a transaction did not end; its connection is given up");
    })?;
    drop(unfinished.0.take());
    outcome.map(|((), value)| value)
}

async fn say(mut conn: &Conn, command: &str) -> Result<()> {
    Ok(conn.batch_execute(command).await?)
}

/// Who writes in a transaction.
enum Signature {
    /// One caller.
    One(Author),
    /// Several, one for each key that is made.
    Many(Vec<(Uuid, Author)>),
}

impl Signature {
    /// Begins a transaction and tells the ledger's triggers who writes in it; in one message, which PostgreSQL answers once.
    /// What many have in common waits for no lock: each can wait alone.
    fn begin(&self) -> String {
        let told = |text: &Option<String>| text.as_deref().unwrap_or_default().replace('\'', "''");
        match self {
            Self::One(Author { actor, request_id }) => format!(
                "BEGIN; SET LOCAL kuntatutorit.actor = '{}'; SET LOCAL kuntatutorit.request_id = '{}'",
                told(actor),
                told(request_id)
            ),
            Self::Many(authors) => {
                let line = |(key, Author { actor, request_id }): &(Uuid, Author)| {
                    format!("{key} {} {}\n", told(actor), told(request_id))
                };
                let lines: String = authors.iter().map(line).collect();
                format!("BEGIN; SET LOCAL kuntatutorit.authors = '{lines}'; SET LOCAL lock_timeout = '200ms'")
            }
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        tracing::warn!(%error, "no connection to the database");
        Self::Unavailable
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        tracing::warn!(%error, "no connection to the database");
        Self::Unavailable
    }
}
