//! An older state of the database is put back, or a failover loses the last writes: no follower misses a change without
//! being told, and nobody takes new content for old.

mod epochs;
mod failover;
mod restores;
mod snapshots;
mod switchover;

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Client, retry_while_busy},
    copies::Follower,
    fixtures,
    sql::query_lines_at,
};

/// Creates an event and returns its path.
async fn create_event(client: &Client) -> String {
    let event = client.post("/v1/events", &fixtures::event_body("049", "published")).await.expect(201);
    format!("/v1/events/{}", event.body["id"].as_str().unwrap())
}

/// Creates this many events, and changes each once.
async fn write(client: &Client, count: usize) {
    for number in 0..count {
        let path = create_event(client).await;
        client.if_match("*").patch(&path, &json!({"capacity": number + 1})).await.expect(200);
    }
}

/// Waits until the service reads on each of its connections and writes again. The write has a stale condition and changes
/// nothing.
async fn back(client: &Client, event: &str) {
    for path in [event, "/v1/changes?limit=1", "/v1/events?q=digituki"] {
        client.until_status(path, 200).await;
    }
    let stale = client.if_match("\"0-full\"");
    let written = retry_while_busy(async || stale.patch(event, &json!({})).await).await;
    written.expect_problem(412, "precondition_failed");
}

async fn execute(database_url: &str, statement: &str) {
    let mut conn = AsyncPgConnection::establish(database_url).await.unwrap();
    conn.batch_execute(statement).await.unwrap();
}

/// Uses up transaction numbers, as writes in other databases of the server do.
async fn use_up_transactions(database_url: &str, count: usize) {
    let each = format!("do $$ begin for n in 1..{count} loop perform pg_current_xact_id(); commit; end loop; end $$");
    execute(database_url, &each).await;
}

/// Returns the number of the next transaction.
async fn next_transaction(database_url: &str) -> usize {
    let next = "select pg_snapshot_xmax(pg_current_snapshot())::text as line";
    query_lines_at(database_url, next).await[0].parse().unwrap()
}

/// Asserts that the follower is told to create its copy again, and that the new copy then follows the original.
async fn assert_refused(mut follower: Follower, server: &Server) {
    let client = server.coordinator();
    let refused = match follower.catch_up(&client).await {
        Ok(items) => panic!("the follower was not told, and got {items:?}"),
        Err(answer) => answer.expect_problem(400, "bad_cursor"),
    };
    let told = refused.body["detail"].as_str().unwrap();
    assert!(told.contains("create your copy again"), "{told}");
    let mut follower = Follower::of(&client).await;
    write(&client, 1).await;
    follower.catch_up(&client).await.unwrap();
    follower.assert_equal(&client).await;
}

/// Asserts that the follower gets these operations on events, once each, and that its copy then equals the original.
async fn assert_follows(mut follower: Follower, server: &Server, operations: usize) {
    let client = server.coordinator();
    let items: Vec<Value> = follower.catch_up(&client).await.unwrap_or_else(|refused| panic!("{}", refused.text));
    assert_eq!(items.len(), operations, "{items:?}");
    follower.assert_equal(&client).await;
}
