//! What callers without a token can make the service do: they never use the connections for writes, and what the service
//! stores about them is bounded.

use std::{cell::Cell, time::Duration};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, operations},
    fixtures::PASSWORD,
    rows::missing_path,
    sql,
};

/// The connections for writes of the servers of these tests.
const POOL_SIZE: usize = 2;

/// Calls an open operation with secrets that nobody has.
async fn call(client: &Client, operation: &Operation, n: usize) -> Answer {
    let (client, body) = match operation.id.as_str() {
        "issue_token" => {
            let form = format!("grant_type=client_credentials&client_id={}&client_secret=guess", Uuid::now_v7());
            (client.with("content-type", "application/x-www-form-urlencoded"), Some(form))
        }
        "login" => {
            let body = json!({"email": format!("nobody{n}@espoo.example"), "password": "guess"});
            (client.clone(), Some(body.to_string()))
        }
        "refresh" | "logout" => (client.clone(), Some(json!({"refresh_token": format!("guess {n}")}).to_string())),
        "set_password" => {
            let body = json!({"invitation": format!("guess {n}"), "new_password": PASSWORD});
            (client.clone(), Some(body.to_string()))
        }
        _ => (client.clone(), None),
    };
    assert_eq!(operation.body.is_some(), body.is_some(), "{} needs a body in this test", operation.id);
    client.send(operation.method.clone(), &missing_path(&operation.path), body).await
}

/// Runs `work` while writers that wait for a lock hold all connections for writes.
async fn with_all_connections_held<T>(server: &Server, work: impl Future<Output = T>) -> T {
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    for statement in ["begin", "select from municipalities where code = '049' for update"] {
        diesel::sql_query(statement).execute(&mut holder).await.unwrap();
    }
    let (writer, done) = (server.coordinator().if_match("*"), Cell::new(false));
    // A writer gives up after a while, and another one takes its connection at once.
    let writers = join_all((0..4 * POOL_SIZE).map(async |_| {
        while !done.get() {
            writer.patch("/v1/municipalities/049", &json!({"support_since": 2001})).await;
        }
    }));
    let working = async {
        let waiting = "select 'one' as line from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock'";
        while sql::query_lines(server, waiting).await.len() < POOL_SIZE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let outcome = work.await;
        drop(holder);
        done.set(true);
        outcome
    };
    futures_util::future::join(working, writers).await.0
}

#[tokio::test]
async fn random_secrets_get_their_answers_while_all_connections_for_writes_are_held() {
    let server = Server::with(&[("POOL_SIZE", &POOL_SIZE.to_string())]);
    let open: Vec<_> = operations().into_iter().filter(|operation| operation.open).collect();
    let anonymous = server.anonymous();
    let answers = with_all_connections_held(&server, async {
        let calls = open.iter().flat_map(|operation| (0..3).map(move |n| (operation, n)));
        join_all(calls.map(async |(operation, n)| (&operation.id, call(&anonymous, operation, n).await.status))).await
    })
    .await;
    for (id, status) in answers {
        let expected = match id.as_str() {
            "login" | "refresh" | "set_password" | "issue_token" => 401,
            "logout" => 204,
            "get_linked_calendar" => 404,
            _ => 200,
        };
        assert_eq!(status, expected, "{id}");
    }
}

#[tokio::test]
async fn what_is_stored_about_random_client_ids_and_invitations_is_bounded() {
    let server = Server::with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    let secret_operations: Vec<_> =
        operations().into_iter().filter(|of| ["issue_token", "set_password"].contains(&of.id.as_str())).collect();
    let mut statuses = Vec::new();
    for n in 0..20 {
        // All of these addresses are in one /24 network.
        let client = server.anonymous().with("x-forwarded-for", &format!("203.0.113.{n}"));
        for operation in &secret_operations {
            statuses.push(call(&client, operation, n).await.status);
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
    let stored = sql::query_lines(&server, "select failures::text as line from sign_in_failures").await;
    assert_eq!(stored, ["5", "5"]);
}
