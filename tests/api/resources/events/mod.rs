//! Events: their fields, their states, and who sees and writes them.

mod include;
mod lists;
mod reach;
mod rules;
mod states;

use serde_json::{Value, json};

use crate::support::client::Client;

const PATH: &str = "/v1/events";

fn webinar(host: Option<&str>) -> Value {
    json!({
        "external_id": null, "title": {"fi": "Etätuki kirjastoissa", "sv": "Fjärrstöd på bibliotek"},
        "description": {"fi": "Miten puhelintuki järjestetään."}, "kind": "webinar", "modality": "online",
        "starts_at": "2098-12-01T10:00:00Z", "ends_at": "2098-12-01T11:30:00Z", "time_zone": "Europe/Helsinki",
        "venue": null, "online_url": "https://video.example/abc", "host_municipality_code": host, "tutors": [],
        "themes": ["remote-support"], "languages": ["fi", "sv"], "audience": [], "capacity": 100,
        "registration_opens_at": null, "registration_closes_at": null, "status": "draft", "status_reason": null
    })
}

fn with(mut event: Value, changes: &Value) -> Value {
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

async fn create(client: &Client, event: &Value) -> Value {
    client.post(PATH, event).await.expect(201).body
}

fn path_of(event: &Value) -> String {
    format!("{PATH}/{}", event["id"].as_str().unwrap())
}

async fn change(client: &Client, event: &Value, patch: &Value) -> Value {
    let path = path_of(event);
    let etag = client.get(&path).await.expect(200).etag();
    client.if_match(&etag).patch(&path, patch).await.expect(200).body
}
