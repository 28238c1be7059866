//! The quota of written bytes: no caller can fill the disk.

use std::time::Duration;

use chrono::TimeDelta;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::future::join_all;
use kuntatutorit::{clock::Clock, domain::Role};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, Client},
    fixtures, raw, sql,
};

/// The smallest quota.
const ONE_MIB: (&str, &str) = ("WRITE_QUOTA_MIB", "1");

/// The body of an event, with descriptions as long as they may be: about 50 kB.
fn large_event() -> Value {
    let mut body = fixtures::event_body("049", "draft");
    let text = "x".repeat(10_000);
    body["description"] = json!({"fi": text, "sv": text, "en": text, "se": text, "smn": text});
    body
}

/// Creates an event with a new `Idempotency-Key`.
async fn create(caller: &Client, body: &Value) -> Answer {
    caller.with("idempotency-key", &Uuid::new_v4().to_string()).post("/v1/events", body).await
}

/// Creates large events until one is refused. Returns the number of those that were created, and the refusal.
async fn use_up(caller: &Client) -> (usize, Answer) {
    let body = large_event();
    for created in 0..100 {
        let answer = create(caller, &body).await;
        if answer.status != 201 {
            return (created, answer.expect_problem(429, "write_quota_exceeded"));
        }
    }
    panic!("100 large events were created")
}

#[tokio::test]
async fn a_caller_that_has_written_its_quota_can_only_read_until_the_next_day() {
    let clock = Clock::default();
    let server = Server::with_clock_and(&clock, &[ONE_MIB]);
    let espoo = server.municipality("049");
    let (created, refused) = use_up(&espoo).await;
    // The saved answers count as much as the bodies.
    assert!((5..=10).contains(&created), "{created}");
    let number = |header: &str| refused.header(header).parse::<u64>().unwrap();
    assert!((1..=86_400).contains(&number("retry-after")));
    assert_eq!(refused.header("ratelimit-policy"), r#""written-bytes";q=1048576;qu="content-bytes";w=86400"#);
    assert!(refused.header("ratelimit").starts_with(r#""written-bytes";r="#), "{}", refused.header("ratelimit"));
    espoo.get("/v1/events?limit=1").await.expect(200);
    server.municipality("049").post("/v1/events", &large_event()).await.expect(201);
    let saved = "select sum(octet_length(body))::text as line from idempotency_keys";
    let saved: u64 = sql::query_lines(&server, saved).await[0].parse().unwrap();
    assert!(saved <= 1_048_576, "{saved} bytes of answers are saved");
    clock.set_offset(TimeDelta::days(1));
    create(&espoo, &large_event()).await.expect(201);
}

#[tokio::test]
async fn all_instances_count_together() {
    let server = Server::with(&[ONE_MIB]);
    let second = server.second(&[ONE_MIB]);
    let espoo = server.municipality("049");
    let (created, _) = use_up(&espoo).await;
    let beside = second.token(espoo.token.as_ref().unwrap());
    let (more, _) = use_up(&beside).await;
    assert!(created >= 5 && more <= 3, "{created} and {more} more on the second instance");
}

#[tokio::test]
async fn what_is_not_written_does_not_count() {
    let server = Server::with(&[ONE_MIB]);
    let espoo = server.municipality("049");
    let again = espoo.with("idempotency-key", "always-the-same");
    let (body, mut invalid) = (large_event(), large_event());
    invalid["ends_at"] = json!("2020-01-01T00:00:00Z");
    again.post("/v1/events", &body).await.expect(201);
    for _ in 0..25 {
        assert_eq!(again.post("/v1/events", &body).await.expect(201).header("idempotency-replayed"), "true");
        espoo.post("/v1/events", &invalid).await.expect_problem(422, "invalid");
    }
    let (created, _) = use_up(&espoo).await;
    assert!(created >= 4, "{created}");
}

#[tokio::test]
async fn a_caller_that_disconnects_has_written_all_the_same() {
    let server = Server::with(&[ONE_MIB]);
    let espoo = server.municipality("049");
    let body = large_event().to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        espoo.token.as_ref().unwrap(),
        body.len()
    );
    for number in 0..60 {
        let mut stream = raw::connect(&server).await;
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        // Most connections are reset while the write is carried out.
        tokio::time::sleep(Duration::from_millis(number % 20)).await;
        stream.set_zero_linger().unwrap();
    }
    use_up(&espoo).await;
    let written =
        sql::query_lines(&server, "select count(*)::text as line from events where source = 'kuntatutorit'").await;
    let written: usize = written[0].parse().unwrap();
    assert!(written * body.len() <= (1 << 20) + 5 * body.len(), "{written} events of {} bytes", body.len());
}

#[tokio::test]
async fn writes_of_one_caller_do_not_wait_for_each_other() {
    let server = Server::with(&[("WRITE_QUOTA_MIB", "64"), ("POOL_SIZE", "10")]);
    let id = Uuid::now_v7();
    let espoo = server.account_with_id(id, Role::Municipality, Some("049"), None);
    server
        .execute(&format!("insert into written_bytes (caller, day, bytes) values ('account:{id}', current_date, 1)"))
        .await;
    // Another instance holds the lock on the row of the caller while 50 writes arrive.
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    for statement in ["begin", "select from written_bytes for update"] {
        holder.batch_execute(statement).await.unwrap();
    }
    let body = fixtures::event_body("049", "draft");
    for answer in join_all((0..50).map(|_| create(&espoo, &body))).await {
        answer.expect(201);
    }
}

#[tokio::test]
async fn without_a_quota_no_write_is_refused() {
    let server = Server::with(&[("WRITE_QUOTA_MIB", "0")]);
    let (espoo, body) = (server.municipality("049"), large_event());
    for _ in 0..25 {
        create(&espoo, &body).await.expect(201);
    }
    assert_eq!(sql::query_lines(&server, "select caller as line from written_bytes").await, Vec::<String>::new());
}
