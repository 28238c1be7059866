//! What a merger moves.

use serde_json::json;

use super::{count, create_event, event, merge};
use crate::support::{Server, fixtures, rows::Rows, sql::query_lines};
use kuntatutorit::resources::directory::municipalities::merger::columns::{COLUMNS, Treatment};

#[tokio::test]
async fn no_row_that_is_in_use_keeps_the_old_code() {
    let server = Server::start();
    Rows::of(&server, "049").await;
    create_event(&server, "049", json!({"audience": ["049"], "venue": {"municipality_code": "049"}})).await;
    let held = json!({"municipality_code": "049", "address": "Kirjastokatu 1"}).to_string();
    server.execute(&format!("update events set venue = '{held}' where status = 'completed'")).await;
    merge(&server.coordinator(), "049", "091").await.expect(200);
    for column in COLUMNS {
        let (table, name) = (column.table, column.column);
        let kept = match column.treatment {
            Treatment::Moved(kept) => kept,
            Treatment::Follows(of) => {
                assert_eq!(of, "events");
                "event_id in (select id from events where is_event_held(status, ends_at))"
            }
            Treatment::Kept(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        let named =
            format!("to_jsonb({name}) @> '\"049\"' or to_jsonb({name}) @> '{{\"municipality_code\": \"049\"}}'");
        let query = format!("select count(*)::text as line from {table} where ({named}) and not ({kept})");
        assert_eq!(query_lines(&server, &query).await, ["0"], "{table}.{name}");
    }
}

#[tokio::test]
async fn coming_events_move_and_held_events_stay() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let hosted = create_event(&server, "710", json!({"venue": {"municipality_code": "710"}})).await;
    let draft = create_event(
        &server,
        "710",
        json!({"status": "draft", "starts_at": "2020-01-01T10:00:00Z", "ends_at": "2020-01-01T11:00:00Z"}),
    )
    .await;
    let tailored = create_event(&server, "049", json!({"audience": ["092", "710"]})).await;
    let for_both = create_event(&server, "049", json!({"audience": ["710", "092", "638"]})).await;
    let held = server.create_event("710").await;
    let cancelled = create_event(&server, "710", json!({"status": "cancelled"})).await;
    let answer = merge(&coordinator, "710", "638").await.expect(200);
    assert_eq!((count(&answer, "moved", "events"), count(&answer, "kept", "events")), (4, 2), "{}", answer.text);
    let moved = event(&server, &hosted).await;
    assert_eq!(
        (&moved["host_municipality_code"], &moved["venue"]["municipality_code"]),
        (&json!("638"), &json!("638"))
    );
    assert_eq!(event(&server, &draft).await["host_municipality_code"], "638");
    assert_eq!(event(&server, &tailored).await["audience"], json!(["092", "638"]));
    assert_eq!(event(&server, &for_both).await["audience"], json!(["092", "638"]));
    let collisions = answer.body["collisions"].as_array().unwrap();
    assert_eq!(collisions.len(), 1);
    assert_eq!(
        (&collisions[0]["collection"], &collisions[0]["key"], &collisions[0]["field"], &collisions[0]["outcome"]),
        (&json!("events"), &json!(for_both), &json!("audience"), &json!("merged"))
    );
    for id in [held, cancelled] {
        assert_eq!(event(&server, &id).await["host_municipality_code"], "710");
    }
    let old = coordinator.get("/v1/municipalities/710").await.expect(200).body;
    assert_eq!((&old["successor_code"], &old["ended_on"]), (&json!("638"), &json!("2026-01-01")));
    assert_eq!(coordinator.get("/v1/municipalities?ended=true").await.expect(200).column("code"), ["710"]);
    assert_eq!(coordinator.all("/v1/municipalities?ended=false").await.len(), 25);
}

#[tokio::test]
async fn tutors_in_use_move_with_their_accounts() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let active = server.create_tutor("710").await;
    let ended = server.create_tutor_with("710", &json!({"status": "ended"})).await;
    let ended_with_account = server.create_tutor_with("710", &json!({"status": "ended"})).await;
    for (email, tutor) in [("a@kunta.example", &active), ("b@kunta.example", &ended_with_account)] {
        let fields = json!({"role": "tutor", "municipality_code": "710", "tutor_id": tutor});
        fixtures::insert_account(&server, email, fields).await;
    }
    fixtures::insert_account(&server, "c@kunta.example", json!({"municipality_code": "710", "disabled": true})).await;
    let answer = merge(&coordinator, "710", "638").await.expect(200);
    assert_eq!((count(&answer, "moved", "tutors"), count(&answer, "kept", "tutors")), (2, 1));
    assert_eq!(count(&answer, "moved", "accounts"), 3);
    let code =
        async |tutor: &str| coordinator.get(&format!("/v1/tutors/{tutor}")).await.body["municipality_code"].clone();
    assert_eq!((code(&active).await, code(&ended).await), (json!("638"), json!("710")));
    assert_eq!(code(&ended_with_account).await, "638");
    let accounts = coordinator.all("/v1/accounts?municipality=638").await;
    assert_eq!(accounts.iter().map(|account| account["disabled"].clone()).filter(|is| *is == json!(true)).count(), 1);
    assert_eq!(accounts.len(), 3);
    assert!(coordinator.all("/v1/accounts?municipality=710").await.is_empty());
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let server = Server::start();
    let coordinator = server.coordinator();
    Rows::of(&server, "710").await;
    let coming = create_event(&server, "710", json!({"audience": ["710", "638"]})).await;
    let (before, ledger) = (event(&server, &coming).await, "select count(*)::text as line from changes");
    let changes = query_lines(&server, ledger).await;
    let order = json!({"into": "638", "on": "2026-01-01"});
    let mut dry = coordinator.post("/v1/municipalities/710/merger?dry_run=true", &order).await.expect(200);
    assert_eq!((event(&server, &coming).await, query_lines(&server, ledger).await), (before, changes));
    assert_eq!(coordinator.get("/v1/municipalities/710").await.body["ended_on"], json!(null));
    assert_eq!(dry.body["dry_run"], true);
    dry.body["dry_run"] = json!(false);
    assert_eq!(dry.body, merge(&coordinator, "710", "638").await.expect(200).body);
}

#[tokio::test]
async fn the_ledger_tells_of_each_row_that_moved_and_of_the_municipality() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let partner = server.partner("follower", "changes:read municipalities:read tutors:read events:read", None);
    let tutor = server.create_tutor("710").await;
    let coming = create_event(&server, "710", json!({})).await;
    let held = server.create_event("710").await;
    let from = partner.get("/v1/changes?from=now").await.expect(200).body["next"].clone();
    merge(&coordinator, "710", "638").await.expect(200);
    // Transactions of other tests can hold the ledger back, so what came before the merger may be in the answers too.
    let (mut cursor, mut told) = (from.as_str().unwrap().to_owned(), Vec::new());
    while told.len() < 3 {
        let page = partner.get(&format!("/v1/changes?wait=30&cursor={cursor}")).await.expect(200).body;
        let updates = page["items"].as_array().unwrap().iter().filter(|change| change["operation"] == "update");
        told.extend(updates.map(|change| format!("{} {}", change["resource"], change["key"]).replace('"', "")));
        page["next"].as_str().unwrap().clone_into(&mut cursor);
    }
    told.sort_unstable();
    let expected = [format!("events {coming}"), "municipalities 710".into(), format!("tutors {tutor}")];
    assert_eq!(told, expected, "not {held}");
}

#[tokio::test]
async fn a_merger_that_is_sent_again_changes_nothing() {
    let server = Server::start();
    let coordinator = server.coordinator();
    create_event(&server, "710", json!({})).await;
    merge(&coordinator, "710", "638").await.expect(200);
    let before = coordinator.get("/v1/municipalities/710").await.etag();
    let again = merge(&coordinator, "710", "638").await.expect(200);
    assert_eq!(again.body["moved"], json!([]));
    assert_eq!(coordinator.get("/v1/municipalities/710").await.etag(), before);
    // The same order later, when the successor has ended too, moves nothing into a municipality that has ended.
    merge(&coordinator, "638", "092").await.expect(200);
    assert_eq!(merge(&coordinator, "710", "638").await.expect(200).body["moved"], json!([]));
    let otherwise = merge(&coordinator, "710", "092").await.expect_problem(409, "municipality_merged");
    assert!(otherwise.body["detail"].as_str().unwrap().contains("into 638, on 2026-01-01"), "{}", otherwise.text);
}

#[tokio::test]
async fn a_chain_of_mergers_moves_everything_to_its_end() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let coming = create_event(&server, "710", json!({})).await;
    merge(&coordinator, "710", "638").await.expect(200);
    merge(&coordinator, "638", "092").await.expect(200);
    assert_eq!(event(&server, &coming).await["host_municipality_code"], "092");
    assert_eq!(coordinator.get("/v1/municipalities/710").await.body["successor_code"], "638");
    let refused = coordinator.post("/v1/tutors", &json!({"name": "Kuntatutor", "municipality_code": "710"})).await;
    let refused = refused.expect_violations(&[("/municipality_code", "municipality_ended")]);
    assert!(refused.body["errors"][0]["detail"].as_str().unwrap().contains("use 092"), "{}", refused.text);
}
