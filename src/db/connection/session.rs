//! The settings of every session, and the check that the server keeps them and is the primary.

use diesel::{ConnectionError, ConnectionResult, sql_types::Bool, sql_types::Text};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};

use super::conn::Conn;

/// The settings of every session. They are sent after the connection is open, because connection poolers refuse or drop
/// start-up options. The timeouts are shorter than those of the service, so PostgreSQL gives up first. `random_page_cost`
/// suits data in memory or on a solid-state disk: with PostgreSQL's default, a filter by a rare value would walk the whole
/// table in the order of the page.
const SESSION: &str = "set statement_timeout = 3500; set lock_timeout = 2500; \
                       set idle_in_transaction_session_timeout = 5000; set timezone = 'UTC'; set random_page_cost = 1.1";
/// `statement_timeout` as PostgreSQL shows it.
const STATEMENT_TIMEOUT: &str = "3500ms";

/// The state of a new session.
#[derive(diesel::QueryableByName)]
struct Session {
    #[diesel(sql_type = Text)]
    statement_timeout: String,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
}

/// Makes the settings of a new session: those of every session, and `settings`. Refuses a standby, and with
/// `needs_writes` a server that accepts only reads.
pub(super) async fn prepare(conn: &mut Conn, settings: &str, needs_writes: bool) -> ConnectionResult<()> {
    conn.batch_execute(&format!("{SESSION}; {settings}")).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    // In a message of its own: a pooler in transaction mode may pass it to another server connection.
    let state = "select current_setting('statement_timeout') as statement_timeout, pg_is_in_recovery() as is_standby, \
                 current_setting('transaction_read_only') = 'on' as is_read_only";
    let session: Session =
        diesel::sql_query(state).get_result(conn).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    let refusal = if session.statement_timeout != STATEMENT_TIMEOUT {
        "the session settings were lost; if a connection pooler such as PgBouncer is in between, set its pool_mode to session"
    } else if session.is_standby {
        "the server is a standby, and the service needs the primary"
    } else if session.is_read_only && needs_writes {
        "the server accepts only reads"
    } else {
        return Ok(());
    };
    Err(ConnectionError::BadConnection(refusal.to_owned()))
}
