//! Rules about time follow the clock of the server, which a test can move: in Rust, in SQL and in housekeeping.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use kuntatutorit::clock::Clock;
use serde_json::{Value, json};

use crate::support::{
    Server,
    fixtures::{event_body, hours_from_now, insert_event},
    sql::query_lines,
};

fn feedback(event: &str, municipality: &str) -> Value {
    json!({"event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality, "rating": 4})
}

#[tokio::test]
async fn feedback_is_accepted_59_days_after_the_end_of_the_event_and_refused_after_61() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    let event = insert_event(&server, json!({})).await;
    let municipality = server.municipality("616");
    clock.set_offset(TimeDelta::days(59));
    let given = municipality.post("/v1/feedback", &feedback(&event, "616")).await.expect(201);
    clock.set_offset(TimeDelta::days(61));
    let late = [("/event_id", "feedback_within_60_days")];
    server.municipality("504").post("/v1/feedback", &feedback(&event, "504")).await.expect_violations(&late);
    let path = format!("/v1/feedback/{}", given.body["id"].as_str().unwrap());
    municipality.if_match(&given.etag()).patch(&path, &json!({"rating": 5})).await.expect_violations(&late);
}

/// The service and the database both refuse a change that is late, so it is accepted only if both follow the clock.
#[tokio::test]
async fn rust_and_sql_both_follow_a_clock_that_is_behind() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    let times = json!({"starts_at": hours_from_now(-24 * 70 - 2), "ends_at": hours_from_now(-24 * 70)});
    let event = insert_event(&server, times).await;
    clock.set_offset(TimeDelta::days(-11));
    let municipality = server.municipality("616");
    let given = municipality.post("/v1/feedback", &feedback(&event, "616")).await.expect(201);
    let path = format!("/v1/feedback/{}", given.body["id"].as_str().unwrap());
    municipality.if_match(&given.etag()).patch(&path, &json!({"rating": 5})).await.expect(200);
}

/// The service and the database both refuse to complete an event that has not ended.
#[tokio::test]
async fn rust_and_sql_both_follow_a_clock_that_is_ahead() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    let mut body = event_body("049", "published");
    body["starts_at"] = json!(hours_from_now(23));
    body["ends_at"] = json!(hours_from_now(24));
    let coordinator = server.coordinator();
    let event = coordinator.post("/v1/events", &body).await.expect(201);
    let path = format!("/v1/events/{}", event.body["id"].as_str().unwrap());
    let complete = async || coordinator.if_match(&event.etag()).patch(&path, &json!({"status": "completed"})).await;
    complete().await.expect_violations(&[("/status", "events_completed_after_end")]);
    clock.set_offset(TimeDelta::hours(25));
    complete().await.expect(200);
}

#[tokio::test]
async fn housekeeping_deletes_an_invitation_when_the_clock_has_passed_its_end() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    let new = json!({"email": "kutsuttu@espoo.example", "role": "municipality", "municipality_code": "049"});
    server.coordinator().post("/v1/accounts", &new).await.expect(201);
    clock.set_offset(TimeDelta::days(8));
    let left = async || query_lines(&server, "select account_id::text as line from invitations").await;
    assert_eq!(left().await.len(), 1);
    let began = Instant::now();
    while !left().await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "housekeeping did not delete the invitation");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// By the real clock, the invitation and the session have expired when they begin.
#[tokio::test]
async fn invitations_and_sessions_expire_by_a_clock_that_is_behind() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    let days_ago = |days: i64| clock.set_offset(TimeDelta::days(-days));
    let (email, password) = ("kutsuttu@espoo.example", "uusi salasana");
    let new = json!({"email": email, "role": "municipality", "municipality_code": "049"});
    let invite = async |new: &Value| {
        let invited = server.coordinator().post("/v1/accounts", new).await.expect(201);
        json!({"invitation": invited.body["invitation"]["secret"], "new_password": password})
    };
    let anonymous = server.anonymous();
    days_ago(100);
    let accept = invite(&new).await;
    days_ago(94);
    anonymous.post("/v1/auth/password", &accept).await.expect(204);
    let login = json!({"email": email, "password": password});
    let session = anonymous.post("/v1/auth/login", &login).await.expect(200).body;
    days_ago(65);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    let session = anonymous.post("/v1/auth/refresh", &refresh).await.expect(200).body;
    days_ago(63);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    anonymous.post("/v1/auth/refresh", &refresh).await.expect_problem(401, "refresh_refused");

    let late =
        invite(&json!({"email": "toinen@espoo.example", "role": "municipality", "municipality_code": "049"})).await;
    days_ago(55);
    anonymous.post("/v1/auth/password", &late).await.expect_problem(401, "invitation_refused");
}
