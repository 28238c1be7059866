//! Callers that reset their connection, send slowly or come in large numbers.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, retry_while_busy},
    fixtures, raw,
    raw::connect,
    soak, sql,
};

/// The number of connections for writes.
const POOL_SIZE: usize = 4;

/// Returns the bytes of a request that creates an event with this title.
fn creation(token: &str, title: &str) -> String {
    let body = json!({
        "title": {"fi": title}, "kind": "webinar", "modality": "online", "starts_at": "2026-12-01T10:00:00Z",
        "ends_at": "2026-12-01T11:00:00Z", "host_municipality_code": "049"
    })
    .to_string();
    format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: {title}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_reset_leaves_no_partial_write_and_no_open_transaction() {
    let server = Server::with(&[("POOL_SIZE", &POOL_SIZE.to_string())]);
    let token = server.coordinator().token.unwrap();
    let titles: Vec<_> = (0..soak::times(60, 2000)).map(|_| Uuid::new_v4().to_string()).collect();
    for (number, crowd) in titles.chunks(20).enumerate() {
        let resets = crowd.iter().enumerate().map(async |(place, title)| {
            let request = creation(&token, title);
            let mut stream = connect(&server).await;
            // Some requests are cut while they are sent, others at a moment of the work, which takes long on a busy
            // machine. The last caller reads its answer.
            let said = if place % 4 == 0 { request.len() * place / 20 } else { request.len() };
            stream.write_all(&request.as_bytes()[..said]).await.unwrap();
            if place == 19 {
                stream.read_u8().await.unwrap();
            } else {
                tokio::time::sleep(Duration::from_micros(u64::try_from(300 * place * place + 100 * number).unwrap()))
                    .await;
            }
            // Without lingering, closing the socket sends a reset.
            stream.set_zero_linger().unwrap();
        });
        join_all(resets).await;
    }
    let open = "select state as line from pg_stat_activity where datname = current_database() \
                and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'";
    let began = Instant::now();
    while !sql::query_lines(&server, open).await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "a transaction is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Each event exists once with its change and its key, or does not exist.
    let torn = "select events.id::text as line from events \
                left join changes on resource = 'events' and changes.key = events.id::text \
                left join idempotency_keys on idempotency_keys.key = title ->> 'fi' \
                where starts_at = '2026-12-01T10:00:00Z' and (changes.key is null or idempotency_keys.key is null)";
    assert_eq!(sql::query_lines(&server, torn).await, [""; 0]);
    let all = "select title ->> 'fi' as line from events where starts_at = '2026-12-01T10:00:00Z'";
    let written = sql::query_lines(&server, all).await;
    assert!(written.iter().all(|title| titles.contains(title)) && !written.is_empty(), "{written:?}");
    // The pool is complete: as many writes as it has connections run at the same time.
    sql::slow_down(&server, "insert", "events", 2.0).await;
    let (writer, event) = (&server.coordinator(), &fixtures::event_body("049", "draft"));
    let write = (0..POOL_SIZE).map(|_| retry_while_busy(async || writer.post("/v1/events", event).await));
    let (answers, ()) = tokio::join!(join_all(write), sql::wait_for_sleepers(&server, POOL_SIZE));
    for answer in answers {
        answer.expect(201);
    }
    soak::report(&format!("callers reset: {}, of which {} had written", titles.len(), written.len()));
}

#[tokio::test]
async fn busy_write_connections_answer_503_within_a_second_until_one_is_free() {
    use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
    let server = Server::with(&[("POOL_SIZE", "2")]);
    let writer = server.coordinator().if_match("*");
    let write = || async {
        let asked = Instant::now();
        (writer.patch("/v1/municipalities/049", &json!({"support_since": 2001})).await, asked.elapsed())
    };
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    diesel::sql_query("begin").execute(&mut holder).await.unwrap();
    diesel::sql_query("lock table municipalities in share mode").execute(&mut holder).await.unwrap();
    let (held, began) = (Duration::from_secs(u64::try_from(soak::times(4, 30)).unwrap()), Instant::now());
    let mut refused = 0;
    while began.elapsed() < held {
        let crowd = join_all((0..12).map(|_| write())).await;
        server.anonymous().get("/livez").await.expect(200);
        server.coordinator().get("/v1/municipalities/049").await.expect(200);
        let quick = crowd.iter().filter(|(_, took)| *took < Duration::from_secs(2)).count();
        assert!(quick >= 10, "two wait for the lock: {:?}", crowd.iter().map(|(_, took)| took).collect::<Vec<_>>());
        for (answer, _) in crowd {
            assert_eq!(answer.expect_problem(503, "unavailable").header("retry-after"), "1");
            refused += 1;
        }
    }
    diesel::sql_query("rollback").execute(&mut holder).await.unwrap();
    let (answer, took) = write().await;
    answer.expect(200);
    assert!(took < Duration::from_secs(2), "the service recovered only after {took:?}");
    soak::report(&format!("all connections held for {held:?}: {refused} refused, back after {took:?}"));
}

/// Opens `count` connections that send only this beginning. The service must serve others meanwhile, and then end those
/// connections with this answer.
async fn send_slowly(beginning: &str, count: usize, patience: Duration, told: impl Fn(Answer)) {
    let server = Server::start();
    let mut slow = Vec::new();
    for _ in 0..count {
        let mut stream = connect(&server).await;
        stream.write_all(beginning.replace("TOKEN", &server.coordinator().token.unwrap()).as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let (reader, began) = (server.coordinator(), Instant::now());
    for _ in 0..20 {
        let asked = Instant::now();
        retry_while_busy(async || reader.get("/v1/municipalities/049").await).await.expect(200);
        retry_while_busy(async || reader.if_match("*").patch("/v1/municipalities/049", &json!({})).await)
            .await
            .expect(200);
        assert!(asked.elapsed() < Duration::from_secs(5), "other callers wait: {:?}", asked.elapsed());
    }
    for mut stream in slow {
        let left = || patience.saturating_sub(began.elapsed());
        told(raw::answer(&mut stream, left()).await);
        let end = tokio::time::timeout(left(), stream.read(&mut [0])).await;
        assert!(matches!(end, Ok(Ok(0) | Err(_))), "still connected after {patience:?}: {end:?}");
    }
    soak::report(&format!("{count} dawdled, and were sent away after {:?}", began.elapsed()));
}

#[tokio::test]
async fn slow_headers_are_cut_and_delay_no_other_caller() {
    let request = "GET /v1/municipalities HTTP/1.1\r\nhost: x\r\nx-slow: ";
    // The HTTP library answers with a status alone.
    send_slowly(request, soak::times(100, 1000), Duration::from_secs(15), |answer| assert_eq!(answer.status, 408))
        .await;
}

#[tokio::test]
async fn slow_bodies_time_out_and_delay_no_other_caller() {
    let request = "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\nconnection: close\r\n\
                   content-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"title\":";
    send_slowly(request, soak::times(100, 1000), Duration::from_secs(20), |answer| {
        answer.expect_problem(408, "body_timeout");
    })
    .await;
}
