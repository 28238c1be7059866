//! PgBouncer in front of a PostgreSQL server.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::process::free_port;

/// A PgBouncer on a free port of 127.0.0.1. It ends with the test.
pub(crate) struct Pooler {
    process: Child,
    port: String,
    _dir: tempfile::TempDir,
}

impl Pooler {
    /// Starts in this mode (`session` or `transaction`) in front of the server with this socket directory. None if
    /// PgBouncer is not installed.
    pub(crate) fn start(mode: &str, socket_dir: &str, server_port: &str) -> Option<Self> {
        let program = find()?;
        let mut tries = (0..3).filter_map(|_| Self::attempt(&program, mode, socket_dir, server_port));
        Some(tries.next().expect("PgBouncer starts"))
    }

    fn attempt(program: &str, mode: &str, socket_dir: &str, server_port: &str) -> Option<Self> {
        let (dir, port) = (tempfile::TempDir::new().unwrap(), free_port());
        let config = format!(
            "[databases]\n* = host={socket_dir} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 2000\ndefault_pool_size = 50\n\
             server_lifetime = 60\nserver_idle_timeout = 5\nlogfile = {}\n",
            dir.path().join("log").display()
        );
        // With `auth_type = any`, every caller is this user of the server.
        let config = config.replace("port=", "user=postgres port=");
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        // PgBouncer refuses to run as root.
        let mut arguments = vec![program, "--quiet"];
        if rustix::process::geteuid().is_root() {
            arguments.extend(["--user", "postgres"]);
            let chown = Command::new("chown").args(["-R", "postgres", dir.path().to_str().unwrap()]).status();
            assert!(chown.unwrap().success());
        }
        // It ends when the pipe closes, also when the test process ends without a drop.
        let script = "\"$@\" & pooler=$!; read -r _; kill -KILL $pooler";
        let mut command = Command::new("sh");
        command.args(["-c", script, "pooler"]).args(arguments).arg(&file).stdin(Stdio::piped());
        let process = command.spawn().unwrap();
        let mut pooler = Self { process, port, _dir: dir };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", pooler.port.parse().unwrap())).is_err() {
            if pooler.process.try_wait().unwrap().is_some() || began.elapsed() > Duration::from_secs(10) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(pooler)
    }

    /// The URL of this database through the pooler.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }
}

/// Returns the program, which may be in a directory that only root has on its `PATH`.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn find() -> Option<String> {
    let programs = ["pgbouncer", "/usr/sbin/pgbouncer"];
    let found = programs.into_iter().find(|program| Command::new(program).arg("--version").output().is_ok());
    if found.is_none() {
        eprintln!("skipped: PgBouncer is not installed");
    }
    found.map(ToOwned::to_owned)
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
