//! Summaries of feedback: what is published, when, and for which callers.

mod parallel;
mod random_walk;
mod size;
mod steps;
mod tutors;
mod verify;
mod visibility;

use std::cell::Cell;

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    databases::summary_differences,
    fixtures,
};

const CODES: [&str; 8] = ["616", "504", "049", "091", "092", "186", "235", "106"];

/// An event that Helsinki hosts, and a partner system of the whole region that gives feedback on it.
struct Scene {
    server: Server,
    event: String,
    partner: Client,
    coordinator: Client,
    respondents: Cell<u32>,
}

async fn scene() -> Scene {
    scene_with(&[], json!({})).await
}

/// Makes the scene with these settings and these columns of the event.
async fn scene_with(settings: &[(&str, &str)], columns: Value) -> Scene {
    let server = Server::with(settings);
    fixtures::insert_themes(&server, &["email", "applications"]).await;
    let event = fixtures::insert_event(&server, columns).await;
    let partner = server.partner("region", "feedback:read feedback:write summaries:read", None);
    let coordinator = server.coordinator();
    Scene { server, event, partner, coordinator, respondents: Cell::new(0) }
}

impl Scene {
    /// Gives feedback of a new participant from this municipality, with these fields.
    async fn give(&self, municipality: &str, fields: Value) -> Answer {
        self.give_on(&self.event, municipality, fields).await
    }

    async fn give_on(&self, event: &str, municipality: &str, fields: Value) -> Answer {
        self.respondents.set(self.respondents.get() + 1);
        let mut body = json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": municipality,
            "respondent": self.respondents.get().to_string()
        });
        json_patch::merge(&mut body, &fields);
        self.partner.post("/v1/feedback", &body).await.expect(201)
    }

    async fn edit(&self, given: &Answer, patch: Value) -> Answer {
        self.partner.if_match("*").patch(&one(given), &patch).await.expect(200)
    }

    async fn delete(&self, given: &Answer) {
        self.partner.if_match("*").delete(&one(given)).await.expect(204);
    }

    /// Returns the published summary of the participants' feedback on the event.
    async fn published(&self) -> Value {
        self.partner.get(&of_event(&self.event)).await.expect(200).body["participant_to_tutor"].clone()
    }

    /// Returns the published number of answers, and of each rating from 1 to 5.
    async fn ratings(&self) -> (i64, Vec<i64>) {
        let published = self.published().await;
        let rated = |rating: u8| published["rating"]["distribution"][rating.to_string()].as_i64().unwrap_or_default();
        (published["count"].as_i64().unwrap(), (1..=5).map(rated).collect())
    }

    async fn comments(&self) -> Vec<String> {
        let published = self.published().await;
        let comments = published["comments"].as_array().unwrap().iter();
        let mut comments: Vec<_> = comments.map(|comment| comment["comment"].as_str().unwrap().to_owned()).collect();
        comments.sort();
        comments
    }

    async fn verify(&self) -> Vec<String> {
        let differences = summary_differences(&self.server.database_url).await;
        differences.iter().map(ToString::to_string).collect()
    }
}

fn one(given: &Answer) -> String {
    format!("/v1/feedback/{}", given.body["id"].as_str().unwrap())
}

fn of_event(id: &str) -> String {
    format!("/v1/events/{id}/feedback-summary")
}

fn of_tutor(id: &str) -> String {
    format!("/v1/tutors/{id}/feedback-summary")
}

/// Feedback of a tutor on the participants.
fn of_participants(event: &str, respondent: &str, rating: i32) -> Value {
    json!({
        "event_id": event, "direction": "tutor_to_participant", "municipality_code": "049", "respondent": respondent,
        "rating": rating, "comment": "Innostunut joukko.", "publish_consent": true
    })
}
