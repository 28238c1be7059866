//! Starts real servers with the PostgreSQL that is installed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kuntatutorit::db::local::{LocalError, LocalPostgres, Options};
use tempfile::TempDir;

/// Set for the process that `holder` runs in.
const HOLDER_DIR: &str = "LOCAL_POSTGRES_HOLDER_DIR";

fn scratch() -> TempDir {
    let dir = TempDir::new().unwrap();
    // The server's user must get through when the tests run as root.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
    dir
}

fn options(data_dir: impl Into<PathBuf>) -> Options {
    Options { durable: false, ..Options::new(data_dir) }
}

fn start(data_dir: impl Into<PathBuf>) -> LocalPostgres {
    LocalPostgres::start(&options(data_dir)).unwrap()
}

fn query(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The process that runs a query with this end.
fn session(url: &str, end: &str) -> String {
    query(url, &format!("select pid from pg_stat_activity where query like '%{end}' limit 1"))
}

fn is_root(dir: &Path) -> bool {
    fs::metadata(dir).unwrap().uid() == 0
}

/// The numbers of all processes that have `text` on their command line.
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

fn postmaster(data_dir: &Path) -> String {
    let text = fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

fn children_of(process: &str) -> Vec<String> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn alive(process: &str) -> bool {
    Path::new("/proc").join(process).exists()
}

fn wait_until(what: &str, limit: Duration, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Another process of this test program, which runs a server.
fn spawn_holder(data_dir: &Path) -> Child {
    let holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "private_postgres::holder", "--ignored"])
        .env(HOLDER_DIR, data_dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the holder's server", Duration::from_secs(30), || {
        LocalPostgres::running(data_dir, "postgres").is_some()
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

#[test]
fn data_survives_and_settings_hold() {
    let scratch = scratch();
    let data_dir = scratch.path().join("made/on the way, here");
    let server = start(&data_dir);

    let url = server.url("postgres");
    let ask = |sql: &str| query(&url, sql);
    assert_eq!(ask("select lower('Ä') || upper('ö')"), "äÖ");
    assert_eq!(ask("show listen_addresses"), "");
    assert_eq!(ask("show timezone"), "UTC");
    assert_eq!(ask("show fsync"), "off");
    assert_eq!(ask("show max_connections"), "100");
    ask("create table kept (word text); insert into kept values ('säilyy')");
    drop(server);
    assert_eq!(processes_with(&data_dir), [""; 0]);
    assert_eq!(LocalPostgres::running(&data_dir, "postgres"), None);

    let server = LocalPostgres::start(&Options::new(&data_dir)).unwrap();
    assert_eq!(ask("select word from kept"), "säilyy");
    assert_eq!(ask("show fsync"), "on");
    ask("alter table kept add primary key (word)");
    ask("insert into kept values ('salaisuus')");
    let twice = ["-qAtX", "-d", &url, "-c", "insert into kept values ('salaisuus')"];
    assert!(!Command::new("psql").args(twice).output().unwrap().status.success());
    let log = fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(log.contains("duplicate key") && !log.contains("salaisuus"), "{log}");
    query(&url, r#"create database "a b/c""#);
    assert_eq!(query(&server.url("a b/c"), "select current_database()"), "a b/c");
}

#[test]
fn an_empty_directory_will_do() {
    let dir = TempDir::new().unwrap();
    let server = start(dir.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
    let mode = |name| fs::metadata(dir.path().join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("socket"), mode("cluster"), mode("postgres.log")), (0o700, 0o700, 0o600));
}

#[test]
fn second_service_is_refused_but_commands_find_the_first() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    let refused = LocalPostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(&refused, LocalError::InUse { process, .. } if *process == holder.id().to_string()));
    let url = LocalPostgres::running(scratch.path(), "postgres").unwrap();
    assert_eq!(query(&url, "select 1"), "1");
    kill_and_reap(&mut holder);
}

#[test]
fn killed_service_leaves_nothing_behind() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    let url = LocalPostgres::running(scratch.path(), "postgres").unwrap();
    // A connected client must not hold the shutdown up.
    let mut client = Command::new("psql")
        .args([&url, "-c", "select pg_sleep(30)"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("its query", Duration::from_secs(10), || !session(&url, "sleep(30)").is_empty());
    holder.kill().unwrap();
    wait_until("an end of all processes", Duration::from_secs(10), || {
        processes_with(&scratch.path().join("cluster")).is_empty()
    });
    holder.wait().unwrap();
    client.wait().unwrap();
}

#[test]
fn starts_at_once_after_a_kill() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    kill_and_reap(&mut holder);
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}

#[test]
fn starts_after_the_server_itself_was_killed() {
    let scratch = scratch();
    let server = start(scratch.path());
    let process = postmaster(scratch.path());
    assert!(Command::new("kill").args(["-KILL", &process]).status().unwrap().success());
    wait_until("the end of the server", Duration::from_secs(10), || !alive(&process));
    drop(server);
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}

#[test]
fn server_outlives_a_signal_to_its_whole_group() {
    let scratch = scratch();
    let server = start(scratch.path());
    let process = postmaster(scratch.path());
    let supervisor = processes_with(Path::new("postgres-supervisor"))
        .into_iter()
        .find(|supervisor| children_of(supervisor).contains(&process))
        .unwrap();
    let group = format!("-{supervisor}");
    assert!(Command::new("kill").args(["-HUP", "--", &group]).status().unwrap().success());
    thread::sleep(Duration::from_millis(300));
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}

#[test]
#[ignore = "takes 10 seconds"]
fn hung_session_does_not_hold_the_end_up() {
    let scratch = scratch();
    let server = start(scratch.path());
    let mut client = Command::new("psql")
        .args([&server.url("postgres"), "-c", "select pg_sleep(60)"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = server.url("postgres");
    wait_until("its query", Duration::from_secs(10), || !session(&url, "sleep(60)").is_empty());
    let session = session(&url, "sleep(60)");
    assert!(Command::new("kill").args(["-STOP", &session]).status().unwrap().success());
    let process = postmaster(scratch.path());
    drop(server);
    assert!(!alive(&process) && !alive(&session));
    client.wait().unwrap();
}

#[test]
#[ignore = "takes 25 seconds"]
fn hung_server_is_given_up_and_waited_for() {
    let scratch = scratch();
    let server = start(scratch.path());
    let process = postmaster(scratch.path());
    // A stopped process does not see SIGINT, nor SIGQUIT, until it continues.
    assert!(Command::new("kill").args(["-STOP", &process]).status().unwrap().success());
    drop(server);
    assert!(alive(&process));
    let refused = LocalPostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(refused, LocalError::StillStopping { .. }));
    assert!(Command::new("kill").args(["-CONT", &process]).status().unwrap().success());
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}

#[test]
fn half_made_cluster_is_remade() {
    let scratch = scratch();
    fs::create_dir(scratch.path().join("cluster.new")).unwrap();
    fs::write(scratch.path().join("cluster.new/PG_VERSION"), "15\n").unwrap();
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
    assert!(!scratch.path().join("cluster.new").exists());
}

#[test]
fn deep_directory_has_its_socket_elsewhere() {
    let scratch = scratch();
    let data_dir = scratch.path().join("long".repeat(40));
    let server = start(&data_dir);
    let url = LocalPostgres::running(&data_dir, "postgres").unwrap();
    assert_eq!(url, server.url("postgres"));
    assert_eq!(query(&url, "select 1"), "1");
    let host = url.split(['@', '/']).nth(3).unwrap().replace("%2F", "/");
    assert_eq!(fs::metadata(&host).unwrap().mode() & 0o777, 0o700);
    drop(server);
    assert!(!Path::new(&host).exists());

    // What another user might put there beforehand.
    let elsewhere = scratch.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &host).unwrap();
    let refused = LocalPostgres::start(&options(&data_dir)).unwrap_err();
    fs::remove_file(&host).unwrap();
    assert!(matches!(refused, LocalError::NotPrivate { .. }), "{refused}");

    fs::create_dir(&host).unwrap();
    fs::set_permissions(&host, Permissions::from_mode(0o777)).unwrap();
    let refused = LocalPostgres::start(&options(&data_dir)).unwrap_err();
    fs::remove_dir(&host).unwrap();
    assert!(matches!(refused, LocalError::NotPrivate { .. }), "{refused}");
}

#[test]
fn closed_directory_is_named_to_root() {
    let scratch = scratch();
    if !is_root(scratch.path()) {
        return;
    }
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o700)).unwrap();
    let refused = LocalPostgres::start(&options(scratch.path().join("data"))).unwrap_err();
    let LocalError::Unreachable { blocked, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(blocked, scratch.path());
}

#[test]
fn failures_say_why() {
    let scratch = scratch();
    let nowhere = Options { bin_dir: Some("/nonexistent".into()), ..options(scratch.path()) };
    let refused = LocalPostgres::start(&nowhere).unwrap_err();
    assert!(matches!(refused, LocalError::NoPrograms { .. }));

    drop(start(scratch.path()));
    let settings = scratch.path().join("cluster/postgresql.conf");
    let good = fs::read(&settings).unwrap();
    fs::write(&settings, "no_such_setting = 1\n").unwrap();
    let refused = LocalPostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(&refused, LocalError::Failed { lines, .. } if lines.contains("no_such_setting")));
    fs::write(&settings, good).unwrap();

    let version = scratch.path().join("cluster/PG_VERSION");
    fs::write(&version, "12\n").unwrap();
    let refused = LocalPostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(refused, LocalError::OtherVersion { version: 12, .. }));
}

#[test]
fn old_programs_are_refused() {
    let scratch = scratch();
    for name in ["initdb", "postgres"] {
        let path = scratch.path().join(name);
        fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    let old = Options { bin_dir: Some(scratch.path().into()), ..options(scratch.path().join("data")) };
    let refused = LocalPostgres::start(&old).unwrap_err();
    assert!(matches!(refused, LocalError::TooOld { .. }));
}
