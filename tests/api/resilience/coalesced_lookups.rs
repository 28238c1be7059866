//! Concurrent lookups by key are sent as one batch. Each caller gets the rows that it asked for and may see, in their
//! current state.

use std::time::Duration;

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Server, databases, databases::fresh_database, fixtures, sql};

/// Returns the statements in PostgreSQL's log that read events by key.
const BY_KEY: &str = "FROM \"events\" WHERE ((\"events\".\"status\" != $1) AND (\"events\".\"id\" = ANY($2)))";

/// Locks the events in a session, until the session is dropped.
async fn hold_events(server: &Server) -> AsyncPgConnection {
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    diesel::sql_query("begin").execute(&mut holder).await.unwrap();
    diesel::sql_query("lock table events in access exclusive mode").execute(&mut holder).await.unwrap();
    holder
}

/// Waits until a statement waits for the lock.
async fn wait_for_a_blocked_statement(server: &Server) {
    let waiting =
        "select 'one' as line from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sql::query_lines(server, waiting).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn concurrent_callers_get_the_rows_that_they_asked_for_and_may_see() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut tailored = fixtures::event_body("186", "published");
    tailored["audience"] = json!(["091"]);
    tailored["online_url"] = json!("https://etatuki.example/1");
    let mut ids = Vec::new();
    for event in [fixtures::event_body("049", "draft"), fixtures::event_body("091", "draft"), tailored] {
        let made = coordinator.post("/v1/events", &event).await.expect(201);
        ids.push(made.body["id"].as_str().unwrap().to_owned());
    }
    ids.push("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e".to_owned());
    // A draft of Espoo, a draft of Helsinki, an event for Helsinki, and a missing id.
    let callers = [
        (server.municipality("049"), [200, 404, 200, 404], false),
        (server.municipality("091"), [404, 200, 200, 404], true),
        (server.partner("calendar", "events:read", None), [404, 404, 200, 404], false),
        (server.partner("calendar", "events:read events:write", None), [200, 200, 200, 404], true),
        (coordinator, [200, 200, 200, 404], true),
    ];
    let holder = hold_events(&server).await;
    let asked = (0..4).flat_map(|_| callers.iter()).flat_map(|(caller, statuses, sees_url)| {
        ids.iter().zip(statuses).map(async move |(id, status)| {
            let answer = caller.get(&format!("/v1/events/{id}")).await.expect(*status);
            if *status == 200 {
                assert_eq!(answer.body["id"].as_str(), Some(id.as_str()));
                let expected = (answer.body["host_municipality_code"] == "186") && *sees_url;
                assert_eq!(!answer.body["online_url"].is_null(), expected, "{}", answer.text);
            }
        })
    });
    let released = async {
        wait_for_a_blocked_statement(&server).await;
        drop(holder);
    };
    futures_util::future::join(join_all(asked), released).await;
}

#[tokio::test]
async fn lookups_that_arrive_meanwhile_share_one_statement() {
    let url = fresh_database();
    let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
    let logged =
        "do $$ begin execute format('alter database %I set log_statement = %L', current_database(), 'all'); end $$";
    diesel::sql_query(logged).execute(&mut conn).await.unwrap();
    let server = Server::on(url, &[]);
    let reader = server.partner("calendar", "events:read", None);
    let all = reader.get("/v1/events").await.expect(200);
    let ids = all.column("id");
    let holder = hold_events(&server).await;
    let before = databases::log().matches(BY_KEY).count();
    let ask = async |place: usize| reader.get(&format!("/v1/events/{}", ids[place % ids.len()])).await.expect(200);
    let others = async {
        wait_for_a_blocked_statement(&server).await;
        let released = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            drop(holder);
        };
        futures_util::future::join(join_all((1..60).map(&ask)), released).await;
    };
    futures_util::future::join(ask(0), others).await;
    let sent = databases::log().matches(BY_KEY).count() - before;
    // For each worker one lookup waits and the others form a batch. On a busy machine some lookups come later.
    assert!((2..20).contains(&sent), "60 lookups sent {sent} statements");
}

#[tokio::test]
async fn the_batch_continues_when_its_first_caller_disconnects() {
    let server = Server::start();
    let event = server.create_event("049").await;
    let (path, reader) = (format!("/v1/events/{event}"), server.coordinator());
    let holder = hold_events(&server).await;
    let first = tokio::time::timeout(Duration::from_millis(300), reader.get(&path)).await;
    assert!(first.is_err(), "the lookup did not wait for the lock");
    let others = join_all((0..10).map(|_| reader.get(&path)));
    let released = async {
        wait_for_a_blocked_statement(&server).await;
        drop(holder);
    };
    let (others, ()) = futures_util::future::join(others, released).await;
    for other in others {
        other.expect(200);
    }
}

#[tokio::test]
async fn a_caller_reads_its_own_write() {
    let server = Server::start();
    let event = server.create_event("049").await;
    let (path, writer) = (format!("/v1/events/{event}"), server.coordinator());
    let crowd = async || {
        for _ in 0..60 {
            join_all((0..8).map(|_| writer.get(&path))).await;
        }
    };
    let written = async {
        for capacity in 1..40 {
            let written = writer.if_match("*").patch(&path, &json!({"capacity": capacity})).await.expect(200);
            let read = writer.get(&path).await.expect(200);
            assert_eq!((read.etag(), &read.body["capacity"]), (written.etag(), &json!(capacity)));
        }
    };
    futures_util::future::join(crowd(), written).await;
}
