//! How the private PostgreSQL starts: where its data is, and when it refuses to start.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use kuntatutorit::db::private_postgres::{Options, PrivatePostgres, PrivatePostgresError};
use tempfile::TempDir;

use super::{assert_no_process_with, is_root, kill_and_reap, options, query, scratch, spawn_holder, start};

#[test]
fn data_and_settings_survive_a_restart() {
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
    assert_no_process_with(&data_dir);
    assert_eq!(PrivatePostgres::running(&data_dir, "postgres"), None);

    let server = PrivatePostgres::start(&Options::new(&data_dir)).unwrap();
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
fn an_empty_directory_is_accepted() {
    let dir = TempDir::new().unwrap();
    let server = start(dir.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
    let mode = |name| fs::metadata(dir.path().join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("socket"), mode("cluster"), mode("postgres.log")), (0o700, 0o700, 0o600));
}

#[test]
fn a_second_service_is_refused_and_commands_use_the_first() {
    let scratch = scratch();
    let mut holder = spawn_holder(scratch.path());
    let refused = PrivatePostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(&refused, PrivatePostgresError::InUse { process, .. } if *process == holder.id().to_string()));
    let url = PrivatePostgres::running(scratch.path(), "postgres").unwrap();
    assert_eq!(query(&url, "select 1"), "1");
    kill_and_reap(&mut holder);
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let scratch = scratch();
    fs::create_dir(scratch.path().join("cluster.new")).unwrap();
    fs::write(scratch.path().join("cluster.new/PG_VERSION"), "15\n").unwrap();
    let server = start(scratch.path());
    assert_eq!(query(&server.url("postgres"), "select 1"), "1");
    assert!(!scratch.path().join("cluster.new").exists());
}

#[test]
fn a_long_directory_path_puts_the_socket_elsewhere() {
    let scratch = scratch();
    let data_dir = scratch.path().join("long".repeat(40));
    let server = start(&data_dir);
    let url = PrivatePostgres::running(&data_dir, "postgres").unwrap();
    assert_eq!(url, server.url("postgres"));
    assert_eq!(query(&url, "select 1"), "1");
    let host = url.split(['@', '/']).nth(3).unwrap().replace("%2F", "/");
    assert_eq!(fs::metadata(&host).unwrap().mode() & 0o777, 0o700);
    drop(server);
    assert!(!Path::new(&host).exists());

    // Another user might have put this there before.
    let elsewhere = scratch.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &host).unwrap();
    let refused = PrivatePostgres::start(&options(&data_dir)).unwrap_err();
    fs::remove_file(&host).unwrap();
    assert!(matches!(refused, PrivatePostgresError::NotPrivate { .. }), "{refused}");

    fs::create_dir(&host).unwrap();
    fs::set_permissions(&host, Permissions::from_mode(0o777)).unwrap();
    let refused = PrivatePostgres::start(&options(&data_dir)).unwrap_err();
    fs::remove_dir(&host).unwrap();
    assert!(matches!(refused, PrivatePostgresError::NotPrivate { .. }), "{refused}");
}

#[test]
fn an_unreachable_directory_is_named_to_root() {
    let scratch = scratch();
    if !is_root(scratch.path()) {
        return;
    }
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o700)).unwrap();
    let refused = PrivatePostgres::start(&options(scratch.path().join("data"))).unwrap_err();
    let PrivatePostgresError::Unreachable { blocked, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(blocked, scratch.path());
}

#[test]
fn failures_state_their_cause() {
    let scratch = scratch();
    let nowhere = Options { bin_dir: Some("/nonexistent".into()), ..options(scratch.path()) };
    let refused = PrivatePostgres::start(&nowhere).unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::NoPrograms { .. }));

    drop(start(scratch.path()));
    let settings = scratch.path().join("cluster/postgresql.conf");
    let good = fs::read(&settings).unwrap();
    fs::write(&settings, "no_such_setting = 1\n").unwrap();
    let refused = PrivatePostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(&refused, PrivatePostgresError::Failed { lines, .. } if lines.contains("no_such_setting")));
    fs::write(&settings, good).unwrap();

    let version = scratch.path().join("cluster/PG_VERSION");
    fs::write(&version, "12\n").unwrap();
    let refused = PrivatePostgres::start(&options(scratch.path())).unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::OtherVersion { version: 12, .. }));
}

#[test]
fn old_versions_of_postgresql_are_refused() {
    let scratch = scratch();
    for name in ["initdb", "postgres"] {
        let path = scratch.path().join(name);
        fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    let old = Options { bin_dir: Some(scratch.path().into()), ..options(scratch.path().join("data")) };
    let refused = PrivatePostgres::start(&old).unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::TooOld { .. }));
}
