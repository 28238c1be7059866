//! How the private PostgreSQL is started again after it has ended.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use kuntatutorit::db::private_postgres::{KeptPostgres, PrivatePostgres, PrivatePostgresError};

use super::{
    alive, assert_no_process_with, children_of, kill_and_reap, postmaster, processes_with, query, scratch, start,
    wait_until,
};
use crate::support::killable_postgres::kill;
use crate::support::skipped::skipped;

const LIMIT: Duration = Duration::from_secs(15);

/// Starts a server that is kept running. The receiver gets the reason when it cannot be kept running.
fn start_kept(data_dir: &Path) -> (KeptPostgres, Receiver<PrivatePostgresError>) {
    let (give_up, given_up) = mpsc::channel();
    let kept = start(data_dir).keep_running(move |error| give_up.send(error).unwrap());
    (kept.unwrap(), given_up)
}

/// Waits for another server than the one with this process id, and returns its URL.
fn url_of_next(data_dir: &Path, earlier: &str) -> String {
    wait_until("another server", LIMIT, || {
        PrivatePostgres::running(data_dir, "postgres").is_some() && postmaster(data_dir) != earlier
    });
    PrivatePostgres::running(data_dir, "postgres").unwrap()
}

#[test]
fn a_busy_session_of_a_killed_server_is_ended_before_the_restart() {
    let scratch = scratch();
    let (kept, _) = start_kept(scratch.path());
    let url = PrivatePostgres::running(scratch.path(), "postgres").unwrap();
    query(&url, "set synchronous_commit = on; create table kept as select 'säilyy' as word");
    let busy = "select count(*) from generate_series(1, 100000000) as busy";
    let mut client = Command::new("psql").args([&url, "-c", busy]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    wait_until("its query", LIMIT, || !super::session(&url, "as busy").is_empty());
    let session = super::session(&url, "as busy");
    let earlier = postmaster(scratch.path());
    kill(&earlier);
    assert_eq!(query(&url_of_next(scratch.path(), &earlier), "select word from kept"), "säilyy");
    assert!(!alive(&session));
    client.as_mut().unwrap().wait().unwrap();
    drop(kept);
    assert_no_process_with(&scratch.path().join("cluster"));
}

#[test]
fn a_server_without_its_supervisor_is_replaced() {
    let scratch = scratch();
    let (kept, _) = start_kept(scratch.path());
    let earlier = postmaster(scratch.path());
    let supervisors = processes_with(Path::new("postgres-supervisor"));
    let supervisor = supervisors.into_iter().find(|supervisor| children_of(supervisor).contains(&earlier)).unwrap();
    // The other child waits for the end of the service, and would then stop the server.
    for process in children_of(&supervisor).into_iter().filter(|child| *child != earlier).chain([supervisor.clone()]) {
        kill(&process);
    }
    assert_eq!(query(&url_of_next(scratch.path(), &earlier), "select 1"), "1");
    assert!(!alive(&earlier));
    drop(kept);
    assert_no_process_with(&scratch.path().join("cluster"));
}

#[test]
fn a_stop_during_a_restart_leaves_no_process_behind() {
    let scratch = scratch();
    for milliseconds in [0, 60, 120, 180] {
        let (kept, _) = start_kept(scratch.path());
        kill(&postmaster(scratch.path()));
        thread::sleep(Duration::from_millis(milliseconds));
        drop(kept);
        assert_no_process_with(&scratch.path().join("cluster"));
    }
}

#[test]
fn a_server_that_cannot_start_again_is_given_up_with_its_last_words() {
    let scratch = scratch();
    let (kept, given_up) = start_kept(scratch.path());
    fs::remove_file(scratch.path().join("cluster/global/pg_control")).unwrap();
    kill(&postmaster(scratch.path()));
    let reason = given_up.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(matches!(&reason, PrivatePostgresError::NotRestarted { attempts: 6, .. }), "{reason}");
    assert!(reason.to_string().contains("pg_control"), "{reason}");
    drop(kept);
    assert_no_process_with(&scratch.path().join("cluster"));
}

/// Starts a process of the user that owns this directory.
fn process_of_owner(directory: &Path) -> Child {
    let owner = fs::metadata(directory).unwrap();
    Command::new("sleep").arg("60").uid(owner.uid()).gid(owner.gid()).spawn().unwrap()
}

#[test]
fn a_process_that_has_the_id_of_a_killed_server_by_now_does_not_prevent_the_start() {
    let scratch = scratch();
    if !Path::new("/proc/self/cwd").exists() {
        return skipped("a test of reused process ids", "this system has no /proc");
    }
    let server = start(scratch.path());
    let earlier = postmaster(scratch.path());
    kill(&earlier);
    wait_until("the end of the server", LIMIT, || !alive(&earlier));
    drop(server);
    let cluster = scratch.path().join("cluster");
    let mut stranger = process_of_owner(&cluster);
    let lock_file = cluster.join("postmaster.pid");
    let reused = fs::read_to_string(&lock_file).unwrap().replacen(&earlier, &stranger.id().to_string(), 1);
    fs::write(&lock_file, reused).unwrap();
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
    assert!(alive(&stranger.id().to_string()));
    kill_and_reap(&mut stranger);
}
