//! Finds out at start whether a connection pooler gives each connection a session of its own.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult, QueryResult, sql_types::Integer};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::time::timeout;

use super::{
    conn::Conn,
    establish::{POOLER_ADVICE, describe, establish},
};
use crate::connection_parameters::ConnectionParameters;

/// How often the check compares the two connections. A pooler may give a connection the same server process twice by chance.
const ROUNDS: usize = 3;
/// The longest time for the check. A pooler with few server connections lets the second transaction wait.
const CHECK_LIMIT: Duration = Duration::from_secs(3);

/// Refuses a connection pooler in transaction mode: the service needs prepared statements, session settings and advisory
/// locks, which last for a session. PgBouncer calls the mode that works `session`.
///
/// # Errors
/// When PostgreSQL cannot be reached, or transactions of one connection run in different sessions.
pub async fn require_session_pooling(parameters: &ConnectionParameters) -> ConnectionResult<()> {
    let (mut first, mut second) = (establish(parameters).await?, establish(parameters).await?);
    let keeps_sessions = timeout(CHECK_LIMIT, keep_their_sessions(&mut first, &mut second)).await;
    match keeps_sessions {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(error)) => {
            Err(ConnectionError::BadConnection(describe(ConnectionError::CouldntSetupConfiguration(error))))
        }
        Ok(Ok(false)) | Err(_) => Err(ConnectionError::BadConnection(POOLER_ADVICE.to_owned())),
    }
}

/// Interleaves transactions on two connections. Returns whether each connection always had the same server process.
async fn keep_their_sessions(first: &mut Conn, second: &mut Conn) -> QueryResult<bool> {
    let pids = (backend_pid(first).await?, backend_pid(second).await?);
    let mut keep = pids.0 != pids.1;
    for _ in 0..ROUNDS {
        first.batch_execute("begin").await?;
        second.batch_execute("begin").await?;
        keep &= (backend_pid(first).await?, backend_pid(second).await?) == pids;
        first.batch_execute("commit").await?;
        second.batch_execute("commit").await?;
        keep &= backend_pid(first).await? == pids.0 && backend_pid(second).await? == pids.1;
    }
    Ok(keep)
}

#[derive(diesel::QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

async fn backend_pid(conn: &mut Conn) -> QueryResult<i32> {
    let backend: Backend = diesel::sql_query("select pg_backend_pid() as pid").get_result(conn).await?;
    Ok(backend.pid)
}
