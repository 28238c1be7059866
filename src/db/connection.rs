//! Opening connections to PostgreSQL. Every connection of the service is opened here.

use std::str::FromStr;

use deadpool::{Runtime, managed::Timeouts};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncPgConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Pool, PoolError},
    },
};
use futures_util::FutureExt as _;
use tokio::time::timeout;

use super::time_limit::CONNECTION_LIMIT;
use crate::problem::{Error, Result};

/// A connection. Reads that run at the same time share one and are pipelined on it.
pub type Conn = AsyncPgConnection;

/// The settings of every session. The timeouts are shorter than those of the service, so PostgreSQL gives up first.
/// `random_page_cost` suits data in memory or on a solid-state disk: with PostgreSQL's default, a filter by a rare value
/// would walk the whole table in the order of the page.
const SESSION: &str = "-c statement_timeout=3500 -c lock_timeout=2500 -c idle_in_transaction_session_timeout=5000 \
                       -c timezone=UTC -c random_page_cost=1.1";

/// Creates a pool of at most `size` connections for all workers.
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
        .timeouts(Timeouts {
            wait: Some(CONNECTION_LIMIT),
            create: Some(CONNECTION_LIMIT),
            recycle: Some(CONNECTION_LIMIT),
        })
        .build()
        .map_err(|error| Error::Internal(error.into()))
}

/// Opens one connection.
///
/// # Errors
/// When the URL is wrong, or the server refuses the connection or does not answer.
pub async fn establish(url: String) -> ConnectionResult<Conn> {
    establish_with(url, "").await
}

/// Opens one connection with these start-up options in addition to those of every session.
pub(super) async fn establish_with(url: String, options: &str) -> ConnectionResult<Conn> {
    let mut config = tokio_postgres::Config::from_str(&url)
        .map_err(|error| ConnectionError::InvalidConnectionUrl(error.to_string()))?;
    config.options(format!("{SESSION} {options}")).application_name("kuntatutorit").connect_timeout(CONNECTION_LIMIT);
    // tokio-postgres limits only the time until the socket is connected. A server that accepts the connection and then
    // stays silent would hold the request for ever.
    let connecting = async {
        let connected = config.connect(tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| ConnectionError::BadConnection(with_cause(&error)))?;
        Conn::try_from_client_and_connection(client, connection).await
    };
    let timed_out =
        |_| ConnectionError::BadConnection("the server accepts the connection but does not answer".to_owned());
    timeout(CONNECTION_LIMIT, connecting).await.map_err(timed_out)?
}

/// Describes an error together with its cause, which the text of tokio-postgres leaves out.
fn with_cause(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
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
