//! PostgreSQL stops and comes back; all connections are busy; callers disconnect.

use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use reqwest::Method;
use serde_json::json;

use crate::support::{Server, killable_postgres::KillablePostgres, raw, soak};

#[tokio::test]
async fn the_service_survives_a_restart_of_postgresql() {
    let mut database = KillablePostgres::start();
    let server = Server::on(database.url(), &[]);
    let espoo = server.municipality("049");
    let path = "/v1/municipalities/049";
    let etag = espoo.get(path).await.expect(200).etag();
    for _ in 0..2 {
        database.stop();
        let stopped = Instant::now();
        while stopped.elapsed() < Duration::from_secs(3) {
            let asked = Instant::now();
            let read = espoo.get(path).await.expect_problem(503, "unavailable");
            assert_eq!(read.header("retry-after"), "1");
            espoo.if_match(&etag).patch(path, &json!({})).await.expect_problem(503, "unavailable");
            assert!(asked.elapsed() < Duration::from_secs(4), "two refused requests took {:?}", asked.elapsed());
            server.anonymous().get("/readyz").await.expect(503);
            server.anonymous().get("/livez").await.expect(200);
        }
        database.restart();
        let back = Instant::now();
        while espoo.get(path).await.status != 200 {
            assert!(back.elapsed() < soak::recovery(), "the service did not recover in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.anonymous().get("/readyz").await.expect(200);
    }
    espoo.if_match(&etag).patch(path, &json!({"support_since": 2001})).await.expect(200);
}

#[tokio::test]
async fn busy_write_connections_answer_503_within_a_second_and_reads_continue() {
    let server = Server::with(&[("POOL_SIZE", "2")]);
    let espoo = server.municipality("049");
    let path = "/v1/municipalities/049";
    let etag = espoo.get(path).await.etag();
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    diesel::sql_query("begin").execute(&mut holder).await.unwrap();
    diesel::sql_query("lock table municipalities in share mode").execute(&mut holder).await.unwrap();
    let writer = espoo.if_match(&etag);
    let writes = (0..8).map(|_| async {
        let asked = Instant::now();
        (writer.patch(path, &json!({"support_since": 2001})).await.expect(503), asked.elapsed())
    });
    let (refused, read) = tokio::join!(futures_util::future::join_all(writes), espoo.get(path));
    read.expect(200);
    let quick = refused.iter().filter(|(_, took)| *took < Duration::from_secs(2)).count();
    assert!(quick >= 6, "only two wait for the lock: {:?}", refused.iter().map(|(_, took)| took).collect::<Vec<_>>());
    diesel::sql_query("rollback").execute(&mut holder).await.unwrap();
    espoo.if_match(&etag).patch(path, &json!({"support_since": 2001})).await.expect(200);
}

#[tokio::test]
async fn a_caller_that_disconnects_leaves_no_partial_write() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for _ in 0..20 {
        let (hasty, change) = (coordinator.if_match("*"), json!({"support_since": 2002}));
        let write = hasty.patch("/v1/municipalities/049", &change);
        let _ = tokio::time::timeout(Duration::from_micros(700), write).await;
    }
    // An abandoned write may still be running. When it ends, no transaction may stay open and the row must be free.
    let busy = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
                and backend_type = 'client backend' and state <> 'idle'";
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(10), "a write left its transaction open");
        let etag = coordinator.get("/v1/municipalities/049").await.etag();
        let written = coordinator.if_match(&etag).patch("/v1/municipalities/049", &json!({})).await;
        if written.status == 200 && diesel::sql_query(busy).execute(&mut conn).await.unwrap() == 0 {
            return;
        }
        // Abandoned requests may still use the whole pool.
        assert!(matches!(written.status, 200 | 412 | 503), "{}", written.text);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_times_out() {
    use tokio::io::AsyncWriteExt as _;
    let server = Server::start();
    let token = server.coordinator().token.unwrap();
    let mut stream = raw::connect(&server).await;
    let head = format!(
        "POST /v1/municipalities HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    raw::answer(&mut stream, Duration::from_secs(15)).await.expect_problem(408, "body_timeout");
    server.anonymous().send(Method::GET, "/livez", None).await.expect(200);
}
