//! Deleted personal data is gone from the database at once, and after 24 hours from the responses that the service
//! saved for requests with an `Idempotency-Key`.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use kuntatutorit::housekeeping::delete_expired;
use serde_json::{Value, json};

use super::{dump::dump, text};
use crate::support::{Server, client::Client};

/// Every personal value below contains one of these words.
const CANARIES: [&str; 2] = ["kanaria", "7654321"];

fn tutor() -> Value {
    json!({
        "name": "Kanaria-nimi", "municipality_code": "049", "external_id": "kanaria-tunnus",
        "title": {"fi": "Kanaria-titteli"}, "perspective": {"fi": "Kanaria-tapa", "sv": "Kanaria-sätt"},
        "contact": {"email": "kanaria-posti@kunta.example", "phone": "+358407654321"}
    })
}

fn feedback(event: &str) -> Value {
    json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 4,
        "respondent": "kanaria-vastaaja", "external_id": "kanaria-palaute", "comment": "Kanaria-kommentti",
        "publish_consent": true
    })
}

/// Returns the tables that contain one of the words.
async fn found(server: &Server) -> Vec<String> {
    let dump = dump(server).await.into_iter();
    let has = |rows: &str| CANARIES.iter().any(|canary| rows.to_lowercase().contains(canary));
    dump.filter(|(_, rows)| has(rows)).map(|(table, _)| table).collect()
}

/// Creates a tutor and feedback, perhaps with an `Idempotency-Key`; changes the tutor; has the feedback published
/// together with two others. Returns both paths.
async fn write_personal_data(server: &Server, writer: &Client, with_keys: bool) -> [String; 2] {
    let event = server.create_event("091").await;
    let mut paths = Vec::new();
    for (path, new) in [("/v1/tutors", tutor()), ("/v1/feedback", feedback(&event))] {
        let maker = if with_keys { writer.with("idempotency-key", path) } else { writer.clone() };
        let made = maker.post(path, &new).await.expect(201);
        paths.push(format!("{path}/{}", text(&made, "/id")));
    }
    for code in ["092", "186"] {
        let mut other = feedback(&event);
        for (field, value) in [("municipality_code", code), ("comment", "Toisen kommentti")] {
            other[field] = json!(value);
        }
        other.as_object_mut().unwrap().retain(|field, _| field != "respondent" && field != "external_id");
        server.municipality(code).post("/v1/feedback", &other).await.expect(201);
    }
    writer.if_match("*").patch(&paths[0], &json!({"name": "Kanaria-toinen"})).await.expect(200);
    writer.get("/v1/tutors?q=kanaria-toinen").await.expect(200);
    let summary = writer.get(&format!("/v1/events/{event}/feedback-summary")).await.expect(200);
    assert!(summary.text.contains("Kanaria-kommentti"), "the summary is not published: {}", summary.text);
    paths.try_into().unwrap()
}

fn writer(server: &Server) -> Client {
    let scopes = "tutors:read tutors:write contacts:read feedback:read feedback:write summaries:read";
    server.partner("espoo", scopes, Some("049"))
}

#[tokio::test]
async fn deleted_personal_data_is_nowhere_in_the_database() {
    let server = Server::start();
    let writer = writer(&server);
    let paths = write_personal_data(&server, &writer, false).await;
    assert_eq!(found(&server).await, ["feedback", "tutors"]);
    for path in paths {
        writer.if_match("*").delete(&path).await.expect(204);
    }
    assert_eq!(found(&server).await, [""; 0]);
}

/// The service keeps the response unchanged while the key is valid, and then housekeeping deletes it.
#[tokio::test]
async fn housekeeping_deletes_a_saved_response_after_24_hours() {
    let server = Server::start();
    let writer = writer(&server);
    for path in write_personal_data(&server, &writer, true).await {
        writer.if_match("*").delete(&path).await.expect(204);
    }
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    delete_expired(&conn).await.unwrap();
    assert_eq!(found(&server).await, ["idempotency_keys"]);
    server.execute("update idempotency_keys set created_at = created_at - interval '24 hours 1 second'").await;
    delete_expired(&conn).await.unwrap();
    assert_eq!(found(&server).await, [""; 0]);
}
