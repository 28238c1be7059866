//! Fifty concurrent requests for something that only one of them can have.

use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Server, client::Answer, databases::summary_differences, fixtures, sql};

/// Enough connections for many of the fifty to run at the same time.
const CONNECTIONS: (&str, &str) = ("POOL_SIZE", "25");

/// Blocks all writers of this table until ten of them wait, after their own reads. Otherwise one request would finish
/// before the next one begins.
async fn race(server: &Server, table: &str, race: impl Future<Output = Vec<Answer>>) -> Vec<Answer> {
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    for statement in ["begin", &format!("lock table {table} in exclusive mode")] {
        diesel::sql_query(statement).execute(&mut holder).await.unwrap();
    }
    let let_go = async {
        let began = Instant::now();
        let waiting = "select pid::text as line from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock'";
        while sql::query_lines(server, waiting).await.len() < 10 {
            assert!(began.elapsed() < Duration::from_mins(1), "ten writers never waited at once");
            sleep(Duration::from_millis(5)).await;
        }
        diesel::sql_query("commit").execute(&mut holder).await.unwrap();
    };
    tokio::join!(race, let_go).0
}

/// Repeats a request while it answers 503 because the pool is full.
async fn until_answered(mut ask: impl AsyncFnMut() -> Answer) -> Answer {
    loop {
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Returns the answer of the winner. All others must have this problem.
#[track_caller]
fn winner(answers: Vec<Answer>, status: u16, others: (u16, &str)) -> Answer {
    let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == status);
    assert_eq!((won.len(), lost.len()), (1, 49), "{:?}", lost.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for answer in lost {
        answer.expect_problem(others.0, others.1);
    }
    won.remove(0)
}

#[tokio::test]
async fn an_event_is_cancelled_or_completed_once() {
    let server = Server::with(&[CONNECTIONS]);
    let coordinator = server.coordinator();
    let held = coordinator.post("/v1/events", &fixtures::event_body("049", "published")).await.expect(201);
    let path = format!("/v1/events/{}", held.body["id"].as_str().unwrap());
    let writer = coordinator.if_match(&held.etag());
    let change = async |n: usize| {
        let status = ["cancelled", "completed"][n % 2];
        until_answered(async || writer.patch(&path, &json!({"status": status})).await).await
    };
    let answers = race(&server, "events", join_all((0..50).map(change))).await;
    let won = winner(answers, 200, (412, "precondition_failed"));
    assert_eq!(coordinator.get(&path).await.expect(200).body, won.body);
    let ledger = format!(
        "select operation || ' ' || version as line from changes where resource = 'events' and key = '{}' order by seq",
        won.body["id"].as_str().unwrap()
    );
    let told = [format!("create {}", held.body["version"]), format!("update {}", won.body["version"])];
    assert_eq!(sql::query_lines(&server, &ledger).await, told);
}

#[tokio::test]
async fn only_one_client_gets_a_source() {
    let server = Server::with(&[CONNECTIONS]);
    let coordinator = server.coordinator();
    let create = async |n: usize| {
        let new = json!({"name": format!("Kalenteri {n}"), "source": "espoo-calendar", "scopes": ["events:read"]});
        until_answered(async || coordinator.post("/v1/clients", &new).await).await
    };
    let answers = race(&server, "clients", join_all((0..50).map(create))).await;
    let mut won = winner(answers, 201, (409, "clients_source_unique"));
    assert!(won.body.as_object_mut().unwrap().remove("client_secret").is_some());
    let stored = coordinator.get("/v1/clients").await.expect(200).body;
    assert_eq!(stored, json!({"items": [won.body], "next": null}));
    // The losers must not leave secrets behind.
    assert_eq!(sql::query_lines(&server, "select client_id::text as line from client_secrets").await, [id(&won)]);
}

#[tokio::test]
async fn a_respondent_gives_feedback_once() {
    let server = Server::with(&[CONNECTIONS]);
    let event = server.create_event("091").await;
    let author = server.municipality("049");
    let give = async |n: usize| {
        let feedback = json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 1 + n % 5,
            "comment": format!("Sanottu {n}."), "publish_consent": true
        });
        until_answered(async || author.post("/v1/feedback", &feedback).await).await
    };
    let answers = race(&server, "feedback", join_all((0..50).map(give))).await;
    let won = winner(answers, 201, (409, "feedback_one_per_respondent"));
    let stored = author.get("/v1/feedback").await.expect(200).body;
    assert_eq!(stored, json!({"items": [won.body], "next": null}));
    let differences = summary_differences(&server.database_url).await;
    assert!(differences.is_empty(), "{}", differences[0]);
    // Two more answers complete a step. Its summary must count one of the fifty.
    for code in ["092", "186"] {
        server.create_feedback(&event, code).await;
    }
    let summary: Value = author.get(&format!("/v1/events/{event}/feedback-summary")).await.expect(200).body;
    assert_eq!(summary["participant_to_tutor"]["count"], 3);
}

fn id(answer: &Answer) -> &str {
    answer.body["id"].as_str().unwrap()
}
