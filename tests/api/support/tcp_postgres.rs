//! A PostgreSQL that listens on TCP, with TLS or without.

use std::{os::unix::fs::MetadataExt as _, path::Path, process::Command};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use kuntatutorit::db::private_postgres::{Options, PrivatePostgres};

use super::{certificates::Certificates, process::free_port, sql::query_lines_at};

/// A server on a free port of 127.0.0.1. It trusts every user.
pub(crate) struct TcpPostgres {
    dir: tempfile::TempDir,
    pub(crate) port: String,
    _postgres: PrivatePostgres,
}

impl TcpPostgres {
    pub(crate) fn start() -> Self {
        let dir = tempfile::TempDir::new().unwrap();
        // Another test may take a port that was free a moment ago.
        let start = |port: &String| {
            let settings = ["listen_addresses=127.0.0.1".to_owned(), format!("port={port}")];
            let options = Options { durable: false, settings: settings.into(), ..Options::new(dir.path()) };
            PrivatePostgres::start(&options)
        };
        let mut tries = (0..3).map(|_| free_port()).map(|port| (start(&port), port));
        let (postgres, port) = tries.find(|(started, _)| started.is_ok()).unwrap();
        Self { port, _postgres: postgres.unwrap(), dir }
    }

    /// A URL of this database, as the user postgres. `parameters` follow the question mark.
    pub(crate) fn url(&self, database: &str, parameters: &str) -> String {
        format!("postgresql://postgres@localhost:{}/{database}?{parameters}", self.port)
    }

    /// The URL of the database `postgres` by the socket.
    pub(crate) fn socket_url(&self) -> String {
        let socket = self.dir.path().join("socket");
        format!("postgresql://postgres@/postgres?host={}&port={}", socket.display(), self.port)
    }

    /// Serves this certificate, or none, to all connections that come afterwards.
    pub(crate) async fn serve_certificate(&self, certificates: &Certificates, name: Option<&str>) {
        if let Some(name) = name {
            for kind in ["pem", "key"] {
                self.install(&certificates.path(&format!("{name}.{kind}")), &format!("server.{kind}"));
            }
            self.install(&certificates.path("ca.pem"), "clients.pem");
        }
        let ssl = if name.is_some() { "on" } else { "off" };
        let settings = [
            ("ssl_cert_file", "server.pem"),
            ("ssl_key_file", "server.key"),
            ("ssl_ca_file", "clients.pem"),
            ("ssl", ssl),
        ];
        self.set(&settings).await;
    }

    /// Lets users sign in by these lines of pg_hba.conf, which precede the others.
    pub(crate) async fn authenticate(&self, lines: &str) {
        let file = self.dir.path().join("cluster/pg_hba.conf");
        let others = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{lines}\n{others}")).unwrap();
        self.set(&[]).await;
    }

    /// Runs commands.
    pub(crate) async fn run_commands(&self, commands: &str) {
        let mut conn = AsyncPgConnection::establish(&self.socket_url()).await.unwrap();
        conn.batch_execute(commands).await.unwrap();
    }

    /// Changes settings of the running server. Returns when new connections have them.
    async fn set(&self, settings: &[(&str, &str)]) {
        // A setting without effect, which shows that the server has read its settings.
        let mark = uuid::Uuid::now_v7().to_string();
        let mut conn = AsyncPgConnection::establish(&self.socket_url()).await.unwrap();
        for (setting, value) in [settings, &[("log_line_prefix", &mark)]].concat() {
            diesel::sql_query(format!("alter system set {setting} = '{value}'")).execute(&mut conn).await.unwrap();
        }
        diesel::sql_query("select pg_reload_conf()").execute(&mut conn).await.unwrap();
        let query = "select current_setting('log_line_prefix') as line";
        while query_lines_at(&self.socket_url(), query).await != [mark.as_str()] {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    /// Copies a file into the directory of the cluster, for its user only.
    fn install(&self, file: &Path, name: &str) {
        let cluster = self.dir.path().join("cluster");
        let target = cluster.join(name);
        std::fs::copy(file, &target).unwrap();
        let owner = std::fs::metadata(&cluster).unwrap();
        std::os::unix::fs::chown(&target, Some(owner.uid()), Some(owner.gid())).unwrap();
        let mode = Command::new("chmod").args(["600", target.to_str().unwrap()]).status().unwrap();
        assert!(mode.success());
    }
}
