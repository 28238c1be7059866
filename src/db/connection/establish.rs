//! Opening one connection: the hosts in turn, TLS, and the session.

use diesel::{ConnectionError, ConnectionResult};
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, Connection, Socket, config::SslMode, error::SqlState, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{conn::Conn, session};
use crate::{
    connection_parameters::{ConnectionParameters, Host, advice},
    db::epoch,
    problem::is_lost_statement,
};

/// What to do about a connection pooler that does not keep sessions.
pub(super) const POOLER_ADVICE: &str = "a connection pooler in transaction mode is in between, which loses prepared statements, \
                             session settings and locks; set its pool_mode to session, or connect to PostgreSQL directly";

/// Opens one connection to the primary server.
///
/// # Errors
/// When no host accepts the connection in time, or none of them is the primary.
pub async fn establish(parameters: &ConnectionParameters) -> ConnectionResult<Conn> {
    establish_with(parameters, "").await
}

/// Opens one connection with these settings in addition to those of every session.
pub(in crate::db) async fn establish_with(parameters: &ConnectionParameters, settings: &str) -> ConnectionResult<Conn> {
    let deadline = Instant::now() + parameters.limit();
    let hosts = parameters.hosts();
    let mut failures = Vec::new();
    for (tried, (index, host)) in hosts.iter().enumerate() {
        // The hosts share the time. A host that refuses the connection at once leaves its part to the others.
        let hosts_left = u32::try_from(hosts.len() - tried).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / hosts_left;
        let connecting = async {
            let mut conn = connect(parameters, host).await?;
            session::prepare(&mut conn, settings, hosts.len() > 1).await?;
            epoch::announce(&mut conn).await?;
            Ok(conn)
        };
        // tokio-postgres limits only the time until the socket is connected. A server that accepts the connection and
        // then stays silent would hold the request for ever. Boxed, so that a request that needs no new connection does not
        // carry this large future along.
        match timeout(share, Box::pin(connecting)).await {
            Ok(Ok(conn)) => {
                parameters.remember_primary(*index);
                return Ok(conn);
            }
            Ok(Err(error)) => failures.push(format!("{}: {}", host.name, describe(error))),
            Err(_) => failures.push(format!("{}: the server does not answer in time", host.name)),
        }
    }
    let failures = failures.join("; ");
    parameters.report(&failures);
    Err(ConnectionError::BadConnection(failures))
}

/// The stream of a connection, encrypted or not.
type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Connects to one host. As in libpq, `sslmode=prefer` tries TLS first and then a connection without it.
async fn connect(parameters: &ConnectionParameters, host: &Host) -> ConnectionResult<Conn> {
    let tls = parameters.tls().map_err(|error| ConnectionError::BadConnection(format!("the setting {error}")))?;
    let is_preferred = host.config.get_ssl_mode() == SslMode::Prefer;
    let connected: Result<(Client, Connection<Socket, Stream>), _> = match host.config.connect(tls.clone()).await {
        Err(error) if is_preferred && may_accept_plain(&error) => {
            let mut plain = host.config.clone();
            plain.ssl_mode(SslMode::Disable);
            let connected = plain.connect(tls).await;
            if connected.is_ok() {
                parameters.report_plain(&with_cause(&error));
            }
            // The first error is the one to report: the second often says only that TLS is required.
            connected.map_err(|_| error)
        }
        outcome => outcome,
    };
    let (client, connection) = connected.map_err(|error| ConnectionError::BadConnection(with_cause(&error)))?;
    Conn::try_from_client_and_connection(client, connection).await
}

/// Returns whether the server may accept a connection without TLS after it has refused this one: TLS itself failed, or
/// the server's rules for clients (pg_hba.conf) refused it.
fn may_accept_plain(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().contains("TLS"),
    }
}

/// Describes why a connection could not be opened.
pub(super) fn describe(error: ConnectionError) -> String {
    match error {
        ConnectionError::BadConnection(text) => text,
        ConnectionError::CouldntSetupConfiguration(diesel::result::Error::DatabaseError(_, info))
            if is_lost_statement(info.message()) =>
        {
            format!("{}; {POOLER_ADVICE}", info.message())
        }
        other => other.to_string(),
    }
}

/// Describes an error together with its cause, which the text of tokio-postgres leaves out, and says what to do.
fn with_cause(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    let Some(cause) = error.source() else { return error.to_string() };
    match advice(cause) {
        Some(advice) => format!("{error}: {cause}; {advice}"),
        None => format!("{error}: {cause}"),
    }
}
