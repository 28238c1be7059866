//! nginx in front of the service.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    Server,
    client::{self, Client},
    process::free_port,
    skipped::skipped,
};

/// An nginx on a free port of 127.0.0.1. It ends with the test.
pub(crate) struct Nginx {
    process: Child,
    base: String,
    _dir: tempfile::TempDir,
}

impl Nginx {
    /// Starts in front of this server, with these directives in addition to those of docs/operations.md. None if nginx
    /// is not installed.
    pub(crate) fn start(what: &str, server: &Server, directives: &str) -> Option<Self> {
        let Some(program) = find() else {
            skipped(what, "nginx is not installed");
            return None;
        };
        let mut tries = (0..3).filter_map(|_| Self::attempt(program, &server.url, directives));
        Some(tries.next().expect("nginx starts"))
    }

    fn attempt(program: &str, upstream: &str, directives: &str) -> Option<Self> {
        let (dir, port) = (tempfile::TempDir::new().unwrap(), free_port());
        let path = dir.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.map(|name| format!("{name}_temp_path {path}/{name};\n")).concat();
        let config = format!(
            "worker_processes 1;\npid {path}/pid;\nerror_log stderr crit;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{directives}\n\
             server {{\nlisten 127.0.0.1:{port};\nlocation / {{\nproxy_pass {upstream};\n}}\n}}\n}}\n"
        );
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        // It ends when the pipe closes, also when the test process ends without a drop.
        let script = "\"$@\" & proxy=$!; read -r _; kill $proxy";
        let mut command = Command::new("sh");
        command.args(["-c", script, "nginx", program, "-g", "daemon off; master_process off;", "-c"]).arg(&file);
        let process = command.stdin(Stdio::piped()).spawn().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let mut nginx = Self { process, base, _dir: dir };
        let began = Instant::now();
        while TcpStream::connect(nginx.base.trim_start_matches("http://")).is_err() {
            if nginx.process.try_wait().unwrap().is_some() || began.elapsed() > Duration::from_secs(10) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(nginx)
    }

    /// Returns the same caller, whose requests go through this proxy.
    pub(crate) fn client(&self, caller: &Client) -> Client {
        Client::new(client::http(), self.base.clone(), caller.token.clone())
    }
}

/// Returns the program, which may be in a directory that only root has on its `PATH`.
fn find() -> Option<&'static str> {
    let programs = ["nginx", "/usr/sbin/nginx"];
    programs.into_iter().find(|program| Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok())
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
