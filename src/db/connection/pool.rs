//! The pool of connections for writes.

use deadpool::{Runtime, managed::Timeouts};
use diesel::ConnectionError;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
    deadpool::{Pool, PoolError},
};
use futures_util::FutureExt as _;

use super::{conn::Conn, establish::establish};
use crate::{
    connection_parameters::ConnectionParameters,
    problem::{Error, Result},
};

/// Creates a pool of at most `size` connections for all workers.
///
/// # Errors
/// When the pool cannot be created.
pub fn pool(parameters: &ConnectionParameters, size: usize) -> Result<Pool<Conn>> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let (parameters, limit) = (parameters.clone(), Some(parameters.limit()));
    config.custom_setup = Box::new(move |_| {
        let parameters = parameters.clone();
        async move { establish(&parameters).await }.boxed()
    });
    // The parameters replace the URL of the manager.
    Pool::builder(AsyncDieselConnectionManager::new_with_config("", config))
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait: limit, create: limit, recycle: limit })
        .build()
        .map_err(|error| Error::Internal(error.into()))
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        // Failures to connect have been reported already.
        if !matches!(error, PoolError::Backend(_)) {
            tracing::warn!(%error, "all database connections for writes are in use");
        }
        Self::Unavailable
    }
}

impl From<ConnectionError> for Error {
    fn from(_: ConnectionError) -> Self {
        Self::Unavailable
    }
}
