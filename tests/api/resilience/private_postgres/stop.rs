//! How the private PostgreSQL ends, whether the service or PostgreSQL itself is killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use kuntatutorit::db::private_postgres::{PrivatePostgres, PrivatePostgresError};

use super::{
    alive, assert_no_process_with, children_of, kill_and_reap, options, postmaster, processes_with, query, scratch,
    session, spawn_holder, start, wait_until,
};

#[test]
fn a_killed_service_leaves_no_processes_behind() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    let url = PrivatePostgres::running(scratch.path(), "postgres").unwrap();
    // A connected client must not delay the shutdown.
    let mut client = Command::new("psql")
        .args([&url, "-c", "select pg_sleep(30)"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("its query", Duration::from_secs(10), || !session(&url, "sleep(30)").is_empty());
    holder.kill().unwrap();
    assert_no_process_with(&scratch.path().join("cluster"));
    holder.wait().unwrap();
    client.wait().unwrap();
}

#[test]
fn it_starts_at_once_after_a_kill() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    kill_and_reap(&mut holder);
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}

#[test]
fn it_starts_after_postgresql_itself_was_killed() {
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
fn postgresql_survives_a_signal_to_the_whole_process_group() {
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
fn a_hung_session_does_not_delay_the_shutdown() {
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
fn a_hung_server_is_killed_after_a_wait() {
    let scratch = scratch();
    let server = start(scratch.path());
    let process = postmaster(scratch.path());
    // A stopped process receives SIGINT and SIGQUIT only when it continues.
    assert!(Command::new("kill").args(["-STOP", &process]).status().unwrap().success());
    drop(server);
    assert!(alive(&process));
    let refused = PrivatePostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::StillStopping { .. }));
    assert!(Command::new("kill").args(["-CONT", &process]).status().unwrap().success());
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
}
