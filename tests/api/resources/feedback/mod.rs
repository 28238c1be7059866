//! Feedback: who gives it on which events, and who sees it.

mod batching;
mod of_tutors;
mod reading;
mod rules;
mod writing;

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    fixtures,
};

const PATH: &str = "/v1/feedback";
const BOTH: &str = "feedback:read feedback:write";

fn of_participant(event: &str, municipality: &str) -> Value {
    json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality, "rating": 5,
        "useful": true, "themes_wanted": ["email", "applications"], "comment": "Saimme mallin.", "language": "fi",
        "publish_consent": true
    })
}

fn of_tutor(event: &str, municipality: &str) -> Value {
    json!({
        "event_id": event, "direction": "tutor_to_participant", "municipality_code": municipality,
        "comment": "Innostunut joukko."
    })
}

/// Adds the fields of a partner system.
fn from_partner(respondent: &str, external_id: &str, mut body: Value) -> Value {
    (body["respondent"], body["external_id"]) = (json!(respondent), json!(external_id));
    body
}

fn one(answer: &Answer) -> String {
    format!("{PATH}/{}", answer.body["id"].as_str().unwrap())
}

async fn with_themes() -> Server {
    let server = Server::start();
    fixtures::insert_themes(&server, &["email", "applications"]).await;
    server
}

async fn ids(client: &Client, query: &str) -> Vec<String> {
    let all = client.all(&format!("{PATH}?{query}")).await;
    all.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Makes feedback of a tutor and of a participant, each through a partner system, on an event that Helsinki hosts and a
/// tutor of Espoo presents at.
struct Scene {
    server: Server,
    partner: Client,
    presenter: String,
    of_tutor: Answer,
    of_participant: Answer,
}

async fn scene() -> Scene {
    let server = with_themes().await;
    let presenter = fixtures::insert_tutor(&server, "049").await;
    let event = fixtures::insert_event(&server, json!({"tutors": [presenter]})).await;
    let partner = server.partner("region", BOTH, None);
    let of_tutor = partner.post(PATH, &from_partner("t", "x-t", of_tutor(&event, "049"))).await.expect(201);
    let of_participant = partner.post(PATH, &from_partner("p", "x-p", of_participant(&event, "616"))).await.expect(201);
    Scene { server, partner, presenter, of_tutor, of_participant }
}
