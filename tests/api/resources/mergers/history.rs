//! What a merger leaves: feedback, its summaries, and calendars.

use std::process::Command;

use serde_json::{Value, json};

use super::{create_event, event, merge};
use crate::support::{Server, client::Client, fixtures};

/// Gives feedback of a participant from this municipality, through a partner system of the whole region.
async fn give(partner: &Client, event: &str, municipality: &str) -> Value {
    static RESPONDENTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let respondent = RESPONDENTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let feedback = json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality, "rating": 4,
        "respondent": respondent, "comment": format!("Kunnasta {municipality}"), "publish_consent": true
    });
    partner.post("/v1/feedback", &feedback).await.expect(201).body
}

fn partner(server: &Server) -> Client {
    server.partner("region", "feedback:read feedback:write summaries:read", None)
}

/// Returns the number of published answers and of published comments on this event.
async fn published(partner: &Client, event: &str) -> (i64, usize) {
    let summary = partner.get(&format!("/v1/events/{event}/feedback-summary")).await.expect(200).body;
    let summary = &summary["participant_to_tutor"];
    (summary["count"].as_i64().unwrap(), summary["comments"].as_array().unwrap().len())
}

#[tokio::test]
async fn summaries_are_the_same_before_and_after() {
    let server = Server::start();
    let partner = partner(&server);
    let held = server.create_event("091").await;
    for code in ["710", "638", "049"] {
        give(&partner, &held, code).await;
    }
    let path = format!("/v1/events/{held}/feedback-summary");
    let before = partner.get(&path).await.expect(200).body;
    assert_eq!(published(&partner, &held).await, (3, 3));
    merge(&server.coordinator(), "710", "638").await.expect(200);
    assert_eq!(partner.get(&path).await.expect(200).body, before);
    assert_eq!(server.coordinator().all("/v1/feedback?municipality=710").await.len(), 1);
}

#[tokio::test]
async fn a_step_counts_merged_municipalities_as_one() {
    let server = Server::start();
    let partner = partner(&server);
    let held = server.create_event("091").await;
    give(&partner, &held, "710").await;
    merge(&server.coordinator(), "710", "638").await.expect(200);
    // The people of 638 know the answers of 710 and of 638. With these three published, they would know those of 049.
    give(&partner, &held, "638").await;
    give(&partner, &held, "049").await;
    assert_eq!(published(&partner, &held).await, (0, 0));
    give(&partner, &held, "092").await;
    assert_eq!(published(&partner, &held).await, (4, 4));
}

#[tokio::test]
async fn an_edit_after_a_merger_counts_merged_municipalities_as_one() {
    let server = Server::start();
    let partner = partner(&server);
    let held = server.create_event("091").await;
    let mut given = Vec::new();
    for code in ["710", "638", "049", "092", "106", "504"] {
        given.push(give(&partner, &held, code).await);
    }
    merge(&server.coordinator(), "710", "638").await.expect(200);
    let rated = async || {
        let summary = partner.get(&format!("/v1/events/{held}/feedback-summary")).await.expect(200).body;
        summary["participant_to_tutor"]["rating"]["distribution"]["1"].as_i64().unwrap_or_default()
    };
    let rate = async |index: usize| {
        let path = format!("/v1/feedback/{}", given[index]["id"].as_str().unwrap());
        partner.if_match("*").patch(&path, &json!({"rating": 1})).await.expect(200);
    };
    for (index, expected) in [(0, 0), (1, 0), (2, 0), (3, 4)] {
        rate(index).await;
        assert_eq!(rated().await, expected, "after {} edits", index + 1);
    }
    let mut verify = Command::new(env!("CARGO_BIN_EXE_kuntatutorit"));
    let output = verify.arg("verify").env("DATABASE_URL", &server.database_url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn who_gave_feedback_before_can_still_change_and_delete_it() {
    let server = Server::start();
    let account = server.sign_in_new_account("ennen@kunta.example", json!({"municipality_code": "710"})).await;
    let held = server.create_event("091").await;
    let feedback =
        json!({"event_id": held, "direction": "participant_to_tutor", "municipality_code": "710", "rating": 2});
    let given = account.post("/v1/feedback", &feedback).await.expect(201).body;
    merge(&server.coordinator(), "710", "638").await.expect(200);
    let login = json!({"email": "ennen@kunta.example", "password": fixtures::PASSWORD});
    let signed_in = server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    let account = server.token(signed_in.body["access_token"].as_str().unwrap());
    let path = format!("/v1/feedback/{}", given["id"].as_str().unwrap());
    let changed = account.if_match("*").patch(&path, &json!({"rating": 3})).await.expect(200);
    assert_eq!(changed.body["municipality_code"], "710");
    // It gave its answer once: not again for the successor.
    let again = json!({"event_id": held, "direction": "participant_to_tutor", "municipality_code": "638", "rating": 5});
    account.post("/v1/feedback", &again).await.expect_problem(409, "feedback_one_per_respondent");
    account.if_match("*").delete(&path).await.expect(204);
}

#[tokio::test]
async fn the_successor_of_a_host_speaks_as_its_tutors() {
    let server = Server::start();
    let held = server.create_event("710").await;
    merge(&server.coordinator(), "710", "638").await.expect(200);
    let feedback = |code: &str| json!({"event_id": held, "direction": "tutor_to_participant", "municipality_code": code, "rating": 4, "respondent": code});
    partner(&server).post("/v1/feedback", &feedback("638")).await.expect(201);
    let other = partner(&server).post("/v1/feedback", &feedback("049")).await;
    other.expect_violations(&[("/municipality_code", "feedback_tutor_of_event")]);
}

#[tokio::test]
async fn calendars_of_both_codes_show_the_events_of_both() {
    let server = Server::start();
    server.execute("delete from events").await;
    let coordinator = server.coordinator();
    let account = server.sign_in_new_account("kalenteri@kunta.example", json!({"municipality_code": "710"})).await;
    let link = json!({"name": "Puhelin", "municipality_code": "710"});
    let link = account.post("/v1/calendar-links", &link).await.expect(201).body["url"].as_str().unwrap().to_owned();
    let link = &link[link.find("/calendar/").unwrap()..];
    let held = server.create_event("710").await;
    let coming = create_event(&server, "710", json!({})).await;
    let of_successor = create_event(&server, "638", json!({})).await;
    let tailored = create_event(&server, "049", json!({"audience": ["638"]})).await;
    let shown = async |client: &Client, path: &str| {
        let text = client.get(path).await.expect(200).text;
        [&held, &coming, &of_successor, &tailored].map(|id| text.contains(&**id))
    };
    let calendar = |code: &str| format!("/v1/municipalities/{code}/events.ics");
    assert_eq!(shown(&coordinator, &calendar("710")).await, [true, true, false, false]);
    assert_eq!(shown(&coordinator, &calendar("638")).await, [false, false, true, true]);
    merge(&coordinator, "710", "638").await.expect(200);
    for path in [calendar("710"), calendar("638")] {
        assert_eq!(shown(&coordinator, &path).await, [true; 4], "{path}");
    }
    assert_eq!(shown(&server.anonymous(), link).await, [true; 4]);
    assert_eq!(event(&server, &held).await["host_municipality_code"], "710");
}
