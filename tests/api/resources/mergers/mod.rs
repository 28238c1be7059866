//! Mergers of municipalities: what moves, what keeps the old code, which callers gain what.

mod access;
mod history;
mod moves;
mod races;
mod refusals;
mod regions;

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
};

/// Merges a municipality into another as of the first of January 2026.
async fn merge(coordinator: &Client, code: &str, into: &str) -> Answer {
    let order = json!({"into": into, "on": "2026-01-01"});
    coordinator.post(&format!("/v1/municipalities/{code}/merger"), &order).await
}

/// Returns a number from the answer to a merger: of the rows of this collection that have moved, or that were kept.
fn count(answer: &Answer, what: &str, collection: &str) -> i64 {
    let tallies = answer.body[what].as_array().unwrap();
    tallies.iter().find(|tally| tally["collection"] == collection).map_or(0, |tally| tally["count"].as_i64().unwrap())
}

/// Creates an event of this municipality with these fields, as the coordinator. It starts in two days and is published.
async fn create_event(server: &Server, host: &str, fields: Value) -> String {
    let mut new = json!({
        "title": {"fi": format!("Tapahtuma {host}")}, "kind": "webinar", "modality": "online", "status": "published",
        "starts_at": crate::support::fixtures::hours_from_now(48), "ends_at": crate::support::fixtures::hours_from_now(50),
        "host_municipality_code": host
    });
    json_patch::merge(&mut new, &fields);
    let created = server.coordinator().post("/v1/events", &new).await.expect(201);
    created.body["id"].as_str().unwrap().to_owned()
}

async fn event(server: &Server, id: &str) -> Value {
    server.coordinator().get(&format!("/v1/events/{id}")).await.expect(200).body
}
