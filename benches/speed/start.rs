//! Starting the service, and measuring how long the start takes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

/// A process that is killed when this is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

/// Returns the command that starts the service with everything on.
pub(crate) fn service(dir: &Path, database_url: &str, port: u16) -> Command {
    let mut command = Command::new(PROGRAM);
    let log = std::fs::File::create(dir.join("service.log")).unwrap();
    command
        .arg("serve")
        .current_dir(dir)
        .env("DATABASE_URL", database_url)
        .env("DATA_DIR", dir)
        .env("PORT", port.to_string())
        .env("METRICS_PORT", "0")
        // The limits are on, and higher than wrk can reach.
        .env("REQUESTS_PER_SECOND", "1000000")
        .env("WRITE_QUOTA_MIB", "1048576")
        .env("LOG_FORMAT", "json")
        .stderr(log);
    command
}

/// Waits up to ten seconds for the first response, and returns the time at which it came.
pub(crate) fn first_answer(port: u16, path: &str) -> Instant {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut answer = String::new();
            let sent = write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
            if sent.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 ") {
                return Instant::now();
            }
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    panic!("the server did not answer within ten seconds");
}

/// Returns the milliseconds from the start of the program to the first `/readyz`, on a database that is already migrated.
pub(crate) fn milliseconds(dir: &Path, database_url: &str, port: u16) -> f64 {
    let start = Instant::now();
    let _service = Process::start(&mut service(dir, database_url, port));
    (first_answer(port, "/readyz") - start).as_secs_f64() * 1000.0
}
