//! The connection parameters as a whole, and which host is the primary.

use std::{
    fmt,
    str::FromStr as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_postgres::{Config, config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    error::ParameterError,
    host::{Host, hosts},
    tls::{Mode, Tls},
    url::{require_known_target, take_own_parameters, unreadable},
};

/// The time between two reports that PostgreSQL cannot be reached.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
/// The longest time that a request waits for a connection from the pool, or for a new connection to open.
pub const CONNECTION_LIMIT: Duration = Duration::from_millis(800);
/// The longest time that a command waits for a new connection to open. Nobody waits for its answer within a time-out.
const COMMAND_LIMIT: Duration = Duration::from_secs(4);

/// Where PostgreSQL is and how the service connects to it. A clone shares the knowledge which host is the primary.
#[derive(Clone)]
pub struct ConnectionParameters {
    shared: Arc<Shared>,
    limit: Duration,
}

struct Shared {
    hosts: Vec<Host>,
    tls: Tls,
    primary: AtomicUsize,
    reported: Mutex<Option<(Instant, String)>>,
}

impl ConnectionParameters {
    /// Parses a URL (`postgres://` or `postgresql://`).
    ///
    /// # Errors
    /// [`ParameterError`] for a URL that cannot be used, or whose certificates cannot be read.
    pub fn parse(url: &str) -> Result<Self, ParameterError> {
        Self::parse_with(url, &|_| None)
    }

    /// Parses a URL. Parameters of TLS that it does not have come from the environment variables that libpq reads:
    /// `PGSSLMODE`, `PGSSLROOTCERT`, `PGSSLCERT` and `PGSSLKEY`.
    ///
    /// # Errors
    /// The errors of [`Self::parse`].
    pub fn parse_with(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let (url, own) = take_own_parameters(url)?;
        let value = |name: &str| {
            let given = own.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            given.or_else(|| environment(&format!("PG{}", name.to_uppercase()))).filter(|value| !value.is_empty())
        };
        require_known_target(value("target_session_attrs").as_deref())?;
        let tls = Tls::new(
            value("sslmode").as_deref(),
            value("sslrootcert").as_deref(),
            value("sslcert").as_deref(),
            value("sslkey").as_deref(),
        )?;
        let config = Config::from_str(&url).map_err(|error| ParameterError(unreadable(&error)))?;
        let hosts = hosts(&config, tls.mode)?;
        tls.load()?;
        let shared = Shared { hosts, tls, primary: AtomicUsize::default(), reported: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), limit: CONNECTION_LIMIT })
    }

    /// Returns these parameters with the time limit of a command.
    #[must_use]
    pub fn for_commands(&self) -> Self {
        Self { limit: COMMAND_LIMIT, ..self.clone() }
    }

    /// Returns these parameters with the time limit of a request, [`CONNECTION_LIMIT`].
    #[must_use]
    pub fn for_requests(&self) -> Self {
        Self { limit: CONNECTION_LIMIT, ..self.clone() }
    }

    /// Returns the longest time that opening a connection may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the hosts in the order in which to try them: the last known primary first.
    pub fn hosts(&self) -> Vec<(usize, &Host)> {
        let (before, from) = self.shared.hosts.split_at(self.shared.primary.load(Relaxed));
        let indexes = (before.len()..).zip(from);
        indexes.chain((0..).zip(before)).collect()
    }

    /// Remembers which host is the primary.
    pub fn remember_primary(&self, index: usize) {
        self.shared.primary.store(index, Relaxed);
    }

    /// Returns what makes TLS connections. The certificates are read again for each connection, so that renewed ones are
    /// used without a restart.
    pub fn tls(&self) -> Result<MakeRustlsConnect, ParameterError> {
        self.shared.tls.load()
    }

    /// Logs that PostgreSQL cannot be reached: at once when the reason is new, otherwise every ten seconds.
    pub fn report(&self, failures: &str) {
        if self.is_report_due(failures) {
            tracing::warn!(error = failures, "cannot connect to PostgreSQL; requests get 503 until it answers");
        }
    }

    /// Logs that TLS failed and the connection is not encrypted: at once when the reason is new, otherwise every ten seconds.
    pub fn report_plain(&self, error: &str) {
        if self.is_report_due(error) {
            tracing::warn!(
                error,
                "TLS to PostgreSQL failed, so the connection is not encrypted; mend TLS and set sslmode=require"
            );
        }
    }

    fn is_report_due(&self, text: &str) -> bool {
        let mut reported = self.shared.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.as_ref().is_some_and(|(at, earlier)| earlier == text && at.elapsed() < REPORT_INTERVAL) {
            return false;
        }
        *reported = Some((Instant::now(), text.to_owned()));
        true
    }

    /// Describes what an attacker in the network between the service and PostgreSQL could do; none when the server's name
    /// and certificate are verified or the connection does not leave the machine.
    pub fn weakness(&self) -> Option<&'static str> {
        if self.shared.hosts.iter().all(|host| host.is_socket) {
            return None;
        }
        match self.shared.tls.mode {
            Mode::Disable => Some("it is not encrypted"),
            Mode::Prefer => Some("it is encrypted only if TLS succeeds, and the server is not verified"),
            Mode::Require => Some("it is encrypted, but the server is not verified"),
            Mode::VerifyCa => Some("the server's certificate is verified, but not its host name"),
            Mode::VerifyFull => None,
        }
    }

    /// Returns a host of the list that does not exist; none when all exist or the name service does not answer.
    pub async fn unknown_host(&self) -> Option<String> {
        for host in &self.shared.hosts {
            let [config::Host::Tcp(name)] = host.config.get_hosts() else { continue };
            // With `hostaddr`, the name is only for the certificate.
            if !host.config.get_hostaddrs().is_empty() {
                continue;
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            // getaddrinfo tells a name that does not exist from a name service that does not answer only by its text.
            if found.is_err_and(|error| !error.to_string().contains("emporary failure")) {
                return Some(name.clone());
            }
        }
        None
    }
}

impl fmt::Debug for ConnectionParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shared.hosts.iter().map(|host| &host.name)).finish()
    }
}
