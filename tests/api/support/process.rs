//! The real program, as an operator starts it.

use std::{
    io::Write as _,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use super::{client, client::Client, databases::service_url};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

/// The program without settings.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    // The limits are on, and higher than any test needs.
    command.env("REQUESTS_PER_SECOND", "1000000").env("WRITE_QUOTA_MIB", "1048576");
    command
}

/// The program with this database.
pub(crate) fn program_on(database_url: &str) -> Command {
    let mut command = program();
    command
        .env("DATABASE_URL", service_url(database_url))
        .env("KEY_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/keys"));
    command
}

/// Runs a subcommand with this standard input.
pub(crate) fn outcome(database_url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = program_on(database_url);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A subcommand that reads no input may close it first.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a subcommand that must succeed, and returns what it printed.
#[track_caller]
pub(crate) fn run(database_url: &str, arguments: &[&str], input: &str) -> String {
    let output = outcome(database_url, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A running service. It ends with the test.
pub(crate) struct Service {
    process: Child,
    log: tempfile::NamedTempFile,
    output: tempfile::NamedTempFile,
    base: String,
}

impl Service {
    /// Starts on a free port, with a JSON log unless the command has another.
    pub(crate) fn start(mut command: Command) -> Self {
        command.arg("serve");
        // Another test may take a port that was free a moment ago.
        let mut tries = (0..3).map(|_| Self::attempt(&free_port(), &mut command));
        tries.find(|tried| !matches!(tried, Err(told) if told.contains("cannot listen"))).unwrap().unwrap()
    }

    /// Starts on this port.
    pub(crate) fn at(port: &str, mut command: Command) -> Self {
        Self::attempt(port, command.arg("serve")).unwrap()
    }

    /// Starts on this port, or returns the log of the failure.
    fn attempt(port: &str, command: &mut Command) -> Result<Self, String> {
        let log = tempfile::NamedTempFile::new().unwrap();
        command.env("PORT", port);
        if command.get_envs().all(|(name, _)| name != "LOG_FORMAT") {
            command.env("LOG_FORMAT", "json");
        }
        let output = tempfile::NamedTempFile::new().unwrap();
        command.stdout(output.reopen().unwrap()).stderr(log.reopen().unwrap());
        let mut service =
            Self { process: command.spawn().unwrap(), log, output, base: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        // The banner is in the log if that is JSON, else on standard output.
        while !service.log().contains("Kuntatutorit serves") && !service.printed().contains("Kuntatutorit serves") {
            if service.process.try_wait().unwrap().is_some() {
                return Err(service.log());
            }
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "the service does not tell that it serves: {}",
                service.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(service)
    }

    /// A caller without a token.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(client::http(), self.base.clone(), None)
    }

    /// A caller with this token.
    pub(crate) fn token(&self, token: &str) -> Client {
        Client::new(client::http(), self.base.clone(), Some(token.to_owned()))
    }

    /// Returns the host and the port.
    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Returns what the service has printed to standard output.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.output.path()).unwrap()
    }

    /// Returns the most memory that the process has used so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// Returns the memory that the process uses, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    fn status_kib(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|found| found.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse().ok());
        value.unwrap()
    }

    /// Sends this signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits at most 30 seconds for the end. Returns the exit status and how long it took.
    pub(crate) async fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the service did not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The service may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
