//! `kill -9` of PostgreSQL, also of the private one, and of the service during many writes: every acknowledged write exists
//! once.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use kuntatutorit::db::private_postgres::PrivatePostgres;
use serde_json::json;

use crate::support::{
    Server,
    client::Client,
    killable_postgres::{KillablePostgres, kill, postmaster},
    process::{Service, free_port, program},
    soak, sql,
    writers::Writers,
};

/// The number of concurrent writers.
const WRITERS: usize = 8;

/// Waits until a write succeeds, and returns how long that took.
async fn time_to_recover(client: &Client) -> Duration {
    time_to_recover_within(soak::recovery(), client).await
}

async fn time_to_recover_within(limit: Duration, client: &Client) -> Duration {
    let began = Instant::now();
    let (client, change) = (client.if_match("*"), json!({}).to_string());
    loop {
        let answer =
            client.attempt(reqwest::Method::PATCH, "/v1/municipalities/049", Some(change.clone().into_bytes())).await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            return began.elapsed();
        }
        assert!(began.elapsed() < limit, "the service did not recover in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killing_postgresql_loses_no_acknowledged_write() {
    let began = Instant::now();
    let mut database = KillablePostgres::durable();
    let server = Server::on(database.url(), &[]);
    let second = server.second(&[]);
    let client = server.coordinator();
    let elsewhere = second.token(client.token.as_ref().unwrap());
    let writers = Writers::start(WRITERS, &[&client, &elsewhere]);
    let (kills, mut slowest) = (soak::times(3, 50), Duration::ZERO);
    for _ in 0..kills {
        writers.progress(20).await;
        tokio::task::block_in_place(|| {
            database.kill();
            database.restart();
        });
        for instance in [&client, &elsewhere] {
            slowest = slowest.max(time_to_recover(instance).await);
        }
    }
    writers.progress(20).await;
    let counts = writers.end().await.compare(&database.url()).await;
    soak::report(&format!(
        "PostgreSQL killed {kills} times under two instances, back within {slowest:?}: {counts}, {:?}",
        began.elapsed()
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killing_one_backend_loses_no_acknowledged_write() {
    let began = Instant::now();
    let database = KillablePostgres::durable();
    let server = Server::on(database.url(), &[]);
    let client = server.coordinator();
    let writers = Writers::start(WRITERS, &[&client]);
    let kills = soak::times(3, 50);
    let backend = "select pid::text as line from pg_stat_activity where application_name = 'kuntatutorit' \
                   order by random() limit 1";
    for _ in 0..kills {
        writers.progress(20).await;
        // PostgreSQL then ends all sessions and recovers by itself, and answers no query for a moment.
        let found = sql::query_lines(&server, backend).await;
        kill(&found[0]);
    }
    writers.progress(20).await;
    let counts = writers.end().await.compare(&database.url()).await;
    soak::report(&format!("PostgreSQL's process killed {kills} times: {counts}, {:?}", began.elapsed()));
}

/// Returns the program with a private PostgreSQL in this directory.
fn program_in(data_dir: &Path) -> std::process::Command {
    let mut serve = program();
    serve.env_remove("DATABASE_URL").env("DATA_DIR", data_dir).env("LOG_LEVEL", "warn,kuntatutorit::cli=info");
    serve
}

/// Returns a coordinator of a service with a private PostgreSQL.
fn coordinator(service: &Service, data_dir: &Path) -> Client {
    let token = program_in(data_dir).args(["token", "--role", "coordinator"]).output().unwrap();
    assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
    service.token(String::from_utf8(token.stdout).unwrap().trim())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_service_starts_its_private_postgresql_again_and_loses_no_acknowledged_write() {
    let began = Instant::now();
    let data = tempfile::TempDir::new().unwrap();
    let mut service = tokio::task::block_in_place(|| Service::start(program_in(data.path())));
    let client = coordinator(&service, data.path());
    let writers = Writers::start(WRITERS, &[&client]);
    let (kills, mut slowest) = (soak::times(2, 15), Duration::ZERO);
    for _ in 0..kills {
        writers.progress(20).await;
        kill(&postmaster(data.path()));
        slowest = slowest.max(time_to_recover_within(Duration::from_secs(5), &client).await);
    }
    writers.progress(20).await;
    let ledger = writers.end().await;
    // The connection for this read may still be one to the killed server, which is noticed when it is first used.
    service.anonymous().until_status("/readyz", 200).await;
    let counts = ledger.compare(&PrivatePostgres::running(data.path(), "kuntatutorit").unwrap()).await;
    soak::report(&format!(
        "the private PostgreSQL killed {kills} times, back within {slowest:?}: {counts}, {:?}",
        began.elapsed()
    ));

    // The service gives up on a server that cannot start any more.
    std::fs::write(data.path().join("cluster/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    kill(&postmaster(data.path()));
    let (status, _) = service.ended().await;
    let log = service.log();
    assert_eq!(status.code(), Some(1), "{log}");
    let (_, last) = log.rsplit_once("attempts to start it again failed").unwrap_or_else(|| panic!("{log}"));
    assert!(last.contains("unrecognized configuration parameter \"no_such_setting\""), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killing_the_service_loses_no_acknowledged_write() {
    let began = Instant::now();
    let data = tempfile::TempDir::new().unwrap();
    let port = free_port();
    let start = || tokio::task::block_in_place(|| Service::at(&port, program_in(data.path())));
    let mut service = start();
    let client = coordinator(&service, data.path());
    let writers = Writers::start(WRITERS, &[&client]);
    let (kills, mut slowest) = (soak::times(2, 30), Duration::ZERO);
    for _ in 0..kills {
        writers.progress(20).await;
        service.kill();
        service = start();
        slowest = slowest.max(time_to_recover(&client).await);
    }
    writers.progress(20).await;
    let ledger = writers.end().await;
    let counts = ledger.compare(&PrivatePostgres::running(data.path(), "kuntatutorit").unwrap()).await;
    soak::report(&format!(
        "the service killed {kills} times, back within {slowest:?}: {counts}, {:?}",
        began.elapsed()
    ));
}
