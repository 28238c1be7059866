//! What is deleted is gone from the database: at once, and after 24 hours from the answers that are saved for who sends
//! an `Idempotency-Key` again.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use kuntatutorit::housekeeping::tidy;
use serde_json::{Value, json};

use super::{dump::dump, text};
use crate::support::{Server, client::Client};

/// Every word below has one of these in it.
const CANARIES: [&str; 2] = ["kanaria", "7654321"];

fn tutor() -> Value {
    json!({
        "name": "Kanaria-nimi", "municipality_code": "049", "external_id": "kanaria-tunnus",
        "title": {"fi": "Kanaria-titteli"}, "perspective": {"fi": "Kanaria-tapa", "sv": "Kanaria-sätt"},
        "contact": {"email": "kanaria-posti@kunta.example", "phone": "+358 40 7654321"}
    })
}

fn feedback(event: &str) -> Value {
    json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 4,
        "respondent": "kanaria-vastaaja", "external_id": "kanaria-palaute", "comment": "Kanaria-kommentti",
        "publish_consent": true
    })
}

/// The tables that a canary is in.
async fn found(server: &Server) -> Vec<String> {
    let dump = dump(server).await.into_iter();
    let has = |rows: &str| CANARIES.iter().any(|canary| rows.to_lowercase().contains(canary));
    dump.filter(|(_, rows)| has(rows)).map(|(table, _)| table).collect()
}

/// Makes both, perhaps with keys, changes the tutor, and has the feedback published with two others; their paths.
async fn written(server: &Server, writer: &Client, with_keys: bool) -> [String; 2] {
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
    assert!(summary.text.contains("Kanaria-kommentti"), "it is not published: {}", summary.text);
    paths.try_into().unwrap()
}

fn writer(server: &Server) -> Client {
    let scopes = "tutors:read tutors:write contacts:read feedback:read feedback:write summaries:read";
    server.partner("espoo", scopes, Some("049"))
}

#[tokio::test]
async fn what_is_deleted_is_nowhere() {
    let server = Server::start();
    let writer = writer(&server);
    let paths = written(&server, &writer, false).await;
    assert_eq!(found(&server).await, ["feedback", "tutors"]);
    for path in paths {
        writer.if_match("*").delete(&path).await.expect(204);
    }
    assert_eq!(found(&server).await, [""; 0]);
}

/// The answer is kept to the byte for as long as the key is good: then house-keeping takes it.
#[tokio::test]
async fn a_saved_answer_outlives_what_it_tells_of_by_24_hours() {
    let server = Server::start();
    let writer = writer(&server);
    for path in written(&server, &writer, true).await {
        writer.if_match("*").delete(&path).await.expect(204);
    }
    let conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    tidy(&conn).await.unwrap();
    assert_eq!(found(&server).await, ["idempotency_keys"]);
    server.execute("update idempotency_keys set created_at = created_at - interval '24 hours 1 second'").await;
    tidy(&conn).await.unwrap();
    assert_eq!(found(&server).await, [""; 0]);
}
