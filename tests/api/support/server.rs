//! The server under test, on a free port, and its callers.

use std::{
    sync::{LazyLock, mpsc},
    thread::JoinHandle,
};

use actix_web::dev::ServerHandle;
use chrono::Utc;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    auth::{
        keys::key_ring::KeyRing,
        scopes,
        tokens::{access_tokens::Tokens, claims::Grant},
    },
    clock::Clock,
    config::Config,
    connections::ConnectionLimits,
    domain::Role,
    server,
};
use uuid::Uuid;

use super::{
    client,
    client::Client,
    databases::{fresh_database, parameters, service_url},
};

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys");
    KeyRing::load_or_generate(&dir).unwrap()
});

/// A server with its own database. It stops when this is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) database_url: String,
    pub(crate) tokens: Tokens,
    /// The address of the metrics.
    pub(crate) metrics_url: Option<String>,
    http: reqwest::Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts with the reference data and the default settings.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts with the reference data and these settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(fresh_database(), settings)
    }

    /// Starts with the reference data and this clock, which the test can move.
    pub(crate) fn with_clock(clock: &Clock) -> Self {
        Self::with_clock_and(clock, &[])
    }

    /// Starts with the reference data, this clock and these settings.
    pub(crate) fn with_clock_and(clock: &Clock, settings: &[(&str, &str)]) -> Self {
        Self::build(fresh_database(), settings, clock.clone(), ConnectionLimits::default())
    }

    /// Starts with the reference data and these time limits of connections.
    pub(crate) fn with_limits(limits: ConnectionLimits) -> Self {
        Self::build(fresh_database(), &[], Clock::default(), limits)
    }

    /// Starts on this database with these settings.
    pub(crate) fn on(database_url: String, settings: &[(&str, &str)]) -> Self {
        Self::build(database_url, settings, Clock::default(), ConnectionLimits::default())
    }

    fn build(database_url: String, settings: &[(&str, &str)], clock: Clock, limits: ConnectionLimits) -> Self {
        let settings: Vec<(String, String)> = settings.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let lookup = move |name: &str| {
            let own = settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            own.or_else(|| match name {
                "PORT" => Some("0".into()),
                "WORKERS" => Some("1".into()),
                "POOL_SIZE" => Some("4".into()),
                // The limits are on, and higher than any test needs.
                "REQUESTS_PER_SECOND" => Some("1000000".into()),
                "WRITE_QUOTA_MIB" => Some("1048576".into()),
                _ => None,
            })
        };
        let config = Config { connection_limits: limits, ..Config::read(&lookup).unwrap() };
        server::raise_file_limit();
        // LOG_LEVEL=info prints the server's log.
        if let Ok(level) = std::env::var("LOG_LEVEL") {
            static LOG: std::sync::Once = std::sync::Once::new();
            LOG.call_once(|| {
                kuntatutorit::telemetry::log::start(kuntatutorit::config::LogFormat::Human, &level).unwrap();
            });
        }
        let (started, ready) = mpsc::channel();
        let database = parameters(&service_url(&database_url));
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let running = server::build(config, KEYS.clone(), &database, clock).await.unwrap();
                let metrics_url = running.metrics_address.map(|address| format!("http://{address}"));
                started.send((running.public_url, running.address, metrics_url, running.server.handle())).unwrap();
                running.server.await.unwrap();
            });
        });
        let (issuer, address, metrics_url, handle) = ready.recv().unwrap();
        Self {
            url: format!("http://{address}"),
            database_url,
            metrics_url,
            tokens: Tokens::new(KEYS.clone(), issuer.clone(), issuer),
            http: client::http(),
            handle,
            thread: Some(thread),
        }
    }

    /// Starts another instance on the same database with these settings.
    pub(crate) fn second(&self, settings: &[(&str, &str)]) -> Self {
        let settings = [&[("PUBLIC_URL", self.url.as_str())], settings].concat();
        Self::on(self.database_url.clone(), &settings)
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), self.url.clone(), None)
    }

    pub(crate) fn coordinator(&self) -> Client {
        self.account(Role::Coordinator, None, None)
    }

    pub(crate) fn municipality(&self, code: &str) -> Client {
        self.account(Role::Municipality, Some(code), None)
    }

    pub(crate) fn tutor(&self, code: &str, tutor: &str) -> Client {
        self.account(Role::Tutor, Some(code), Some(tutor.parse().unwrap()))
    }

    fn account(&self, role: Role, municipality: Option<&str>, tutor: Option<Uuid>) -> Client {
        self.account_with_id(Uuid::now_v7(), role, municipality, tutor)
    }

    /// An account with this id.
    pub(crate) fn account_with_id(
        &self,
        id: Uuid,
        role: Role,
        municipality: Option<&str>,
        tutor: Option<Uuid>,
    ) -> Client {
        let scope = scopes::of_role(role).collect::<Vec<_>>().join(" ");
        self.bearer(&Grant {
            sub: id.to_string(),
            client_id: self.url.clone(),
            scope,
            role: role.as_str().into(),
            municipality: municipality.map(Into::into),
            tutor,
            source: None,
        })
    }

    /// A partner system with these scopes, bound to a municipality or to none.
    pub(crate) fn partner(&self, source: &str, scope: &str, municipality: Option<&str>) -> Client {
        self.partner_with_id(Uuid::now_v7(), source, scope, municipality)
    }

    /// A partner system with this id.
    pub(crate) fn partner_with_id(&self, id: Uuid, source: &str, scope: &str, municipality: Option<&str>) -> Client {
        let sub = id.to_string();
        self.bearer(&Grant {
            client_id: sub.clone(),
            sub,
            scope: scope.into(),
            role: Role::Partner.as_str().into(),
            municipality: municipality.map(Into::into),
            tutor: None,
            source: Some(source.into()),
        })
    }

    /// A caller with a token for this grant.
    pub(crate) fn bearer(&self, grant: &Grant) -> Client {
        self.token(&self.tokens.issue(grant, Utc::now()).unwrap())
    }

    /// Runs SQL on the server's database, for changes that no operation makes.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut conn = AsyncPgConnection::establish(&self.database_url).await.unwrap();
        diesel::sql_query(sql).execute(&mut conn).await.unwrap();
    }

    /// A caller with this token.
    pub(crate) fn token(&self, token: &str) -> Client {
        Client::new(self.http.clone(), self.url.clone(), Some(token.to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `stop` sends its command at once; the thread ends when the server has stopped.
        drop(self.handle.stop(false));
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
    }
}
