//! Concurrent feedback is inserted with one statement: each caller has its own answer and its own line in the ledger,
//! and no caller waits for another one that is blocked.

use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::PATH;
use crate::support::{
    Server,
    client::{Answer, Client},
    databases::{fresh_database, summary_differences},
    fixtures,
    proxy::{Fault, Proxy},
    sql,
};

fn feedback(event: &str, municipality: &str, respondent: &str) -> Value {
    json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality,
        "respondent": respondent, "rating": 4, "comment": "Hyvä.", "publish_consent": true
    })
}

/// Repeats the request a few times while the answer asks for a retry.
async fn give(client: &Client, body: &Value) -> Answer {
    for _ in 0..4 {
        let answer = client.post(PATH, body).await;
        if answer.status != 503 {
            return answer;
        }
    }
    client.post(PATH, body).await
}

#[tokio::test]
async fn each_caller_gets_its_own_answer_and_its_own_line_in_the_ledger() {
    let server = Server::start();
    let (event, other) = (server.create_event("049").await, server.create_event("186").await);
    let draft = server.coordinator().post("/v1/events", &fixtures::event_body("049", "draft")).await.expect(201);
    let draft = draft.body["id"].as_str().unwrap();
    let partners = ["018", "049", "078", "091"]
        .map(|code| (code, server.partner(&format!("calendar-{code}"), "feedback:write", Some(code))));
    // First all of them are valid, then three of ten are not.
    let asked = |places: std::ops::Range<usize>| {
        join_all(places.map(|place| {
            let (code, partner) = &partners[place % partners.len()];
            let id = format!("request-{place}");
            let (event, other) = (&event, &other);
            async move {
                let event = match place % 10 {
                    _ if place < 60 => [event, other][place % 2],
                    7 => draft,
                    8 => "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e",
                    even if even % 2 == 0 => event,
                    _ => other,
                };
                // One in ten repeats the respondent and source of existing feedback.
                let respondent = if place % 10 == 9 && place >= 60 { "again".to_owned() } else { id.clone() };
                let answer = give(&partner.with("x-request-id", &id), &feedback(event, code, &respondent)).await;
                match place % 10 {
                    7 | 8 if place >= 60 => drop(answer.expect_problem(422, "invalid")),
                    9 if answer.status == 409 => drop(answer.expect_problem(409, "feedback_one_per_respondent")),
                    _ => {
                        let made = answer.expect(201).body;
                        assert_eq!(
                            (&made["respondent"], &made["municipality_code"]),
                            (&json!(respondent), &json!(code))
                        );
                    }
                }
            }
        }))
    };
    asked(0..60).await;
    asked(60..120).await;
    let own = "select format('%s %s', changes.request_id, changes.actor) as line from feedback join changes \
               on changes.key = feedback.id::text where feedback.respondent <> 'again' \
               and (changes.request_id <> feedback.respondent or changes.request_id is null)";
    assert_eq!(sql::query_lines(&server, own).await, [""; 0]);
    let actors = "select distinct feedback.source || ' ' || changes.actor as line from feedback join changes \
                  on changes.key = feedback.id::text";
    assert_eq!(sql::query_lines(&server, actors).await.len(), 4);
    // All of the first batch and seven of ten of the second exist, plus one repetition for each source.
    let given = "select respondent as line from feedback";
    let given = sql::query_lines(&server, given).await;
    assert_eq!(given.iter().filter(|respondent| *respondent != "again").count(), 102);
    assert_eq!(summary_differences(&server.database_url).await, []);
}

#[tokio::test]
async fn no_caller_waits_for_another_that_waits_for_a_lock() {
    let server = Server::with(&[("POOL_SIZE", "12")]);
    let (held, free) = (server.create_event("049").await, server.create_event("186").await);
    let partner = server.partner("calendar", "feedback:write", None);
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    diesel::sql_query("begin").execute(&mut holder).await.unwrap();
    let lock = format!("select from events where id = '{held}' for update");
    diesel::sql_query(lock).execute(&mut holder).await.unwrap();
    let began = Instant::now();
    let waiting = join_all((0..4).map(async |place| {
        tokio::time::sleep(Duration::from_millis(100 * place)).await;
        let answer = give(&partner, &feedback(&held, "049", &format!("who waits {place}"))).await;
        answer.expect(201);
    }));
    let others = async {
        for place in 0..8 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            give(&partner, &feedback(&free, "186", &place.to_string())).await.expect(201);
        }
        let took = began.elapsed();
        drop(holder);
        took
    };
    let (_, took) = futures_util::future::join(waiting, others).await;
    // A blocked row would delay the others for the 2.5 seconds after which PostgreSQL gives up waiting for a lock.
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn feedback_that_may_have_been_committed_is_not_inserted_again() {
    let database_url = fresh_database();
    let event = Server::on(database_url.clone(), &[]).create_event("049").await;
    let proxy = Proxy::before(&database_url);
    let server = Server::on(proxy.url.clone(), &[]);
    let partner = server.partner("calendar", "feedback:write", None);
    give(&partner, &feedback(&event, "049", "before")).await.expect(201);
    proxy.set(Fault::LostCommit);
    let asked = (0..20).map(async |place: i32| {
        partner.post(PATH, &feedback(&event, "049", &place.to_string())).await.expect_problem(503, "unavailable");
    });
    join_all(asked).await;
    proxy.set(Fault::Sound);
    let direct = Server::on(database_url, &[]);
    let given = sql::query_lines(&direct, "select respondent as line from feedback").await;
    assert!(given.len() > 1, "the reply to another statement was lost");
}
