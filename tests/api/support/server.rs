//! The real server, on a free port, and who calls it.

use std::{
    sync::{LazyLock, mpsc},
    thread::JoinHandle,
};

use actix_web::dev::ServerHandle;
use chrono::Utc;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    app,
    auth::{
        keys::KeyRing,
        reach::Role,
        scopes,
        tokens::{Grant, Tokens},
    },
    config::Config,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{self, Client},
    cluster::fresh_database,
    given,
};

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys");
    KeyRing::load_or_generate(&dir).unwrap()
});

/// A server with a database of its own; it stops when this is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) database_url: String,
    pub(crate) tokens: Tokens,
    /// Where the metrics are.
    pub(crate) metrics_url: Option<String>,
    http: reqwest::Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// With the reference data and the default settings.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With the reference data and these settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(fresh_database(), settings)
    }

    /// On this database, with these settings.
    pub(crate) fn on(database_url: String, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<(String, String)> = settings.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let lookup = move |name: &str| {
            let own = settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            own.or_else(|| match name {
                "PORT" => Some("0".into()),
                "WORKERS" => Some("1".into()),
                "POOL_SIZE" => Some("4".into()),
                _ => None,
            })
        };
        let config = Config::read(&lookup).unwrap();
        app::raise_file_limit();
        // LOG_LEVEL=info shows the server's log beside the tests.
        if let Ok(level) = std::env::var("LOG_LEVEL") {
            static LOG: std::sync::Once = std::sync::Once::new();
            LOG.call_once(|| kuntatutorit::telemetry::start(kuntatutorit::config::LogFormat::Human, &level).unwrap());
        }
        let (started, ready) = mpsc::channel();
        let url = database_url.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let running = app::build(config, KEYS.clone(), &url).await.unwrap();
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

    /// Another instance on the same database, with these settings.
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

    /// The body of an event of this municipality, in this state, that has started and ended of late.
    pub(crate) fn event(host: &str, status: &str) -> serde_json::Value {
        let ended = Utc::now() - chrono::TimeDelta::days(1);
        serde_json::json!({
            "title": {"fi": format!("Tapahtuma {host}")}, "kind": "webinar", "modality": "online", "status": status,
            "starts_at": ended - chrono::TimeDelta::hours(2), "ends_at": ended, "host_municipality_code": host
        })
    }

    /// The id of a new event of this municipality, held yesterday.
    pub(crate) async fn given_event(&self, host: &str) -> String {
        let answer = self.coordinator().post("/v1/events", &Self::event(host, "completed")).await.expect(201);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The id of new feedback on this event from an account of this municipality.
    pub(crate) async fn given_feedback(&self, event: &str, municipality: &str) -> String {
        let feedback = serde_json::json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality, "rating": 4
        });
        let answer = self.municipality(municipality).post("/v1/feedback", &feedback).await.expect(201);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    fn account(&self, role: Role, municipality: Option<&str>, tutor: Option<Uuid>) -> Client {
        let scope = scopes::of_role(role).collect::<Vec<_>>().join(" ");
        self.bearer(&Grant {
            sub: Uuid::now_v7().to_string(),
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
        let sub = Uuid::now_v7().to_string();
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

    /// Whoever signs in with a new account of Espoo's, but for these fields.
    pub(crate) async fn account_of(&self, email: &str, fields: Value) -> Client {
        given::account(self, email, fields).await;
        let login = json!({"email": email, "password": given::PASSWORD});
        let signed_in = self.anonymous().post("/v1/auth/login", &login).await.expect(200);
        self.token(signed_in.body["access_token"].as_str().unwrap())
    }

    /// Whoever this grant is of.
    pub(crate) fn bearer(&self, grant: &Grant) -> Client {
        self.token(&self.tokens.issue(grant, Utc::now()).unwrap())
    }

    /// The id of a new tutor of this municipality: "Kuntatutor", with an e-mail address, visible to the network.
    pub(crate) async fn given_tutor(&self, code: &str) -> String {
        self.given_tutor_with(code, &json!({})).await
    }

    /// As [`Self::given_tutor`], with these fields instead of its own.
    pub(crate) async fn given_tutor_with(&self, code: &str, fields: &Value) -> String {
        let mut new =
            json!({"name": "Kuntatutor", "municipality_code": code, "contact": {"email": "tutor@kunta.example"}});
        new.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let created = self.coordinator().post("/v1/tutors", &new).await.expect(201);
        created.body["id"].as_str().unwrap().to_owned()
    }

    /// Runs SQL on the server's database, for what no operation does.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut conn = AsyncPgConnection::establish(&self.database_url).await.unwrap();
        diesel::sql_query(sql).execute(&mut conn).await.unwrap();
    }

    /// Whoever has this token.
    pub(crate) fn token(&self, token: &str) -> Client {
        Client::new(self.http.clone(), self.url.clone(), Some(token.to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; its answer is the thread's end.
        drop(self.handle.stop(false));
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
    }
}
