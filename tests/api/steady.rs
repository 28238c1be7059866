//! In the steady state reads and creates prepare nothing: PostgreSQL parses each statement once for each connection.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use serde_json::json;

use crate::support::{Server, client::Client, cluster, cluster::fresh_database};

/// One of each that is called often.
async fn drive(server: &Server, coordinator: &Client, partner: &Client, event: &str, round: usize) {
    let tutor = server.given_tutor("049").await;
    for path in [
        "/v1/events?municipality=049&sort=-starts_at".to_owned(),
        format!("/v1/events/{event}"),
        format!("/v1/events/{event}/feedback-summary"),
        format!("/v1/tutors/{tutor}"),
        "/v1/tutors?status=active".to_owned(),
        "/v1/municipalities/049".to_owned(),
        "/v1/municipalities".to_owned(),
        "/v1/themes".to_owned(),
        "/v1/feedback".to_owned(),
    ] {
        coordinator.get(&path).await.expect(200);
    }
    coordinator.post("/v1/events", &Server::event("049", "draft")).await.expect(201);
    let feedback = json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 4,
        "respondent": format!("round-{round}"), "comment": "Hyvä."
    });
    partner.post("/v1/feedback", &feedback).await.expect(201);
    let keyed = json!({
        "event_id": event, "direction": "tutor_to_participant", "municipality_code": "049", "useful": true,
        "respondent": format!("round-{round}")
    });
    partner.with("idempotency-key", &format!("round-{round}")).post("/v1/feedback", &keyed).await.expect(201);
}

#[tokio::test]
async fn reads_and_creates_prepare_nothing() {
    let url = fresh_database();
    let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
    let logged = "do $$ begin execute format('alter database %I set log_min_duration_statement = 0', current_database()); \
                  end $$";
    diesel::sql_query(logged).execute(&mut conn).await.unwrap();
    let server = Server::on(url, &[("POOL_SIZE", "1")]);
    let (coordinator, partner) = (server.coordinator(), server.partner("calendar", "feedback:write", None));
    let event = server.given_event("049").await;
    for round in 0..2 {
        drive(&server, &coordinator, &partner, &event, round).await;
    }
    let before = cluster::log().len();
    for round in 2..6 {
        drive(&server, &coordinator, &partner, &event, round).await;
    }
    let log = cluster::log();
    let logged = || log[before..].lines().filter(|line| line.contains(" ms  "));
    assert!(logged().any(|line| line.contains("INSERT INTO \"feedback\"")), "nothing was logged");
    // What keeps the service in step with the database is asked anew each time.
    let parsed: Vec<_> =
        logged().filter(|line| line.contains(" ms  parse ") && !line.contains("access_changed_at")).collect();
    assert!(parsed.is_empty(), "{}", parsed.join("\n"));
}
