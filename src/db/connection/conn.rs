//! The type of connections.

use diesel_async::AsyncPgConnection;

/// A connection. Reads that run at the same time share one and are pipelined on it.
pub type Conn = AsyncPgConnection;
