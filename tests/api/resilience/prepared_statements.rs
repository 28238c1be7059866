//! Once warm, reads and creates prepare no statements: PostgreSQL parses each statement once for each connection.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use serde_json::json;

use crate::support::{Server, client::Client, databases, databases::fresh_database, fixtures, sql};

/// Sends one of each frequent request.
async fn drive(server: &Server, coordinator: &Client, partner: &Client, event: &str, round: usize) {
    let tutor = server.create_tutor("049").await;
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
    coordinator.post("/v1/events", &fixtures::event_body("049", "draft")).await.expect(201);
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
async fn warm_reads_and_creates_prepare_no_statements() {
    let url = fresh_database();
    let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
    let logged = "do $$ begin execute format('alter database %I set log_min_duration_statement = 0', current_database()); \
                  end $$";
    diesel::sql_query(logged).execute(&mut conn).await.unwrap();
    let server = Server::on(url, &[("POOL_SIZE", "1")]);
    let (coordinator, partner) = (server.coordinator(), server.partner("calendar", "feedback:write", None));
    let event = server.create_event("049").await;
    for round in 0..2 {
        drive(&server, &coordinator, &partner, &event, round).await;
    }
    let before = databases::log().len();
    for round in 2..6 {
        drive(&server, &coordinator, &partner, &event, round).await;
    }
    let log = databases::log();
    let logged = || log[before..].lines().filter(|line| line.contains(" ms  "));
    assert!(logged().any(|line| line.contains("INSERT INTO \"feedback\"")), "PostgreSQL logged no statements");
    // The queries of the background tasks are prepared each time, and housekeeping opens a connection of its own.
    let process = |line: &str| line.split(['[', ']']).nth(1).map(str::to_owned);
    let new: Vec<_> =
        logged().filter(|line| line.contains("current_setting('statement_timeout')")).map(process).collect();
    let parsed = logged().filter(|line| line.contains(" ms  parse ") && !line.contains("access_changed_at"));
    let parsed: Vec<_> = parsed.filter(|line| !new.contains(&process(line))).collect();
    assert!(parsed.is_empty(), "{}", parsed.join("\n"));
}

/// PostgreSQL keeps the prepared statements of a connection until the connection ends.
#[tokio::test]
async fn a_connection_with_many_prepared_statements_is_replaced() {
    let server = Server::with(&[("WORKERS", "1")]);
    let reader = server.partner("calendar", "events:read", None);
    let open = "select pid::text as line from pg_stat_activity \
                where datname = current_database() and application_name = 'kuntatutorit' order by pid";
    let filters = ["kind=workshop", "modality=online", "status=published", "source=one", "municipality=049"];
    let filters = [&filters[..], &["theme=email", "language=fi", "audience=091"]].concat();
    let mut pids = Vec::new();
    for chosen in 0..1 << filters.len() {
        let some = filters.iter().enumerate().filter(|(place, _)| chosen & (1 << place) != 0);
        let query: Vec<_> = some.map(|(_, filter)| *filter).collect();
        reader.get(&format!("/v1/events?{}", query.join("&"))).await.expect(200);
        if chosen % 128 == 1 {
            pids.push(sql::query_lines(&server, open).await);
        }
    }
    pids.push(sql::query_lines(&server, open).await);
    assert!(pids.windows(2).all(|two| two[0] != two[1]), "no connection was replaced: {pids:?}");
    let most = pids.iter().map(Vec::len).max();
    assert!(most < Some(16), "too many connections were opened: {pids:?}");
}
