//! The private PostgreSQL starts, stops and recovers, with the PostgreSQL programs that are installed.

mod restart;
mod start;
mod stop;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kuntatutorit::db::private_postgres::{Options, PrivatePostgres};
use tempfile::TempDir;

/// Set for the child process in which `holder` runs.
const HOLDER_DIR: &str = "LOCAL_POSTGRES_HOLDER_DIR";

fn scratch() -> TempDir {
    let dir = TempDir::new().unwrap();
    // When the tests run as root, the user of PostgreSQL must be able to pass.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
    dir
}

fn options(data_dir: impl Into<PathBuf>) -> Options {
    Options { durable: false, ..Options::new(data_dir) }
}

fn start(data_dir: impl Into<PathBuf>) -> PrivatePostgres {
    PrivatePostgres::start(&options(data_dir)).unwrap()
}

fn query(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Starts a session whose query has this ending, and returns its process id.
fn session(url: &str, end: &str) -> String {
    query(url, &format!("select pid from pg_stat_activity where query like '%{end}' limit 1"))
}

fn is_root(dir: &Path) -> bool {
    fs::metadata(dir).unwrap().uid() == 0
}

/// Returns the ids of all processes with `text` on their command line.
fn processes_with(text: &Path) -> Vec<String> {
    let text = text.to_str().unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(text)
        })
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// Waits until no process with `text` on its command line is left.
fn assert_no_process_with(text: &Path) {
    wait_until("the end of the processes", Duration::from_secs(30), || processes_with(text).is_empty());
}

fn postmaster(data_dir: &Path) -> String {
    let text = fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

fn children_of(process: &str) -> Vec<String> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Returns whether the process runs. One that has ended may still be listed as a zombie, if its parent was killed.
fn alive(process: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(process).join("status"));
    status.is_ok_and(|status| !status.contains("\nState:\tZ"))
}

fn wait_until(what: &str, limit: Duration, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < limit, "{what}: did not happen within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Another process of this test program, which runs a server.
fn spawn_holder(data_dir: &Path) -> Child {
    let holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "resilience::private_postgres::holder", "--ignored"])
        .env(HOLDER_DIR, data_dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the holder's server", Duration::from_secs(30), || {
        PrivatePostgres::running(data_dir, "postgres").is_some()
    });
    holder
}

fn kill_and_reap(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "the other process of some tests"]
fn holder() {
    if let Some(dir) = std::env::var_os(HOLDER_DIR) {
        let _server = start(dir);
        thread::sleep(Duration::from_mins(1));
    }
}
