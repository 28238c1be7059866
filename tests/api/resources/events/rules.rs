//! The fields of events: which values the service accepts and returns.

use serde_json::{Value, json};

use super::{PATH, path_of, webinar, with};
use crate::support::Server;

#[tokio::test]
async fn an_event_can_be_sent_back_as_read() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post(PATH, &webinar(Some("049"))).await.expect(201);
    let replaced = espoo.if_match(&created.etag()).put(&path_of(&created.body), &created.body).await.expect(200);
    assert_eq!((&replaced.body, replaced.etag()), (&created.body, created.etag()), "nothing has changed");
    let mut changed = created.body.clone();
    changed["capacity"] = json!(7);
    let replaced = espoo.if_match(&created.etag()).put(&path_of(&created.body), &changed).await.expect(200);
    assert!(replaced.body["version"].as_i64() > created.body["version"].as_i64());
    espoo.if_match(&created.etag()).put(&path_of(&created.body), &created.body).await.expect(412);
    espoo.if_match(&replaced.etag()).delete(&path_of(&created.body)).await.expect(204);
    espoo.get(&path_of(&created.body)).await.expect(404);
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let broken = json!({
        "external_id": "", "title": {}, "ends_at": "2098-12-01T10:00:00Z", "time_zone": "Europe/Espoo", "venue": {},
        "online_url": "video", "host_municipality_code": "49", "themes": ["a", "a"], "languages": ["finnish"],
        "audience": ["1"], "capacity": 0, "registration_opens_at": "2026-11-01T00:00:00Z",
        "registration_closes_at": "2026-11-01T00:00:00Z", "status_reason": {"fi": " "}, "price": 0
    });
    coordinator.post(PATH, &with(webinar(None), &broken)).await.expect_violations(&[
        ("/price", "unknown_field"),
        ("/external_id", "too_short"),
        ("/title", "required"),
        ("/ends_at", "not_after"),
        ("/time_zone", "invalid_time_zone"),
        ("/venue", "required"),
        ("/online_url", "invalid_url"),
        ("/host_municipality_code", "invalid_code"),
        ("/themes", "duplicate"),
        ("/languages/0", "invalid_language"),
        ("/audience/0", "invalid_code"),
        ("/capacity", "too_small"),
        ("/registration_closes_at", "not_after"),
        ("/status_reason/fi", "blank"),
    ]);
    let unknown = json!({
        "host_municipality_code": "999", "venue": {"municipality_code": "998"}, "themes": ["remote-support", "magic"],
        "tutors": ["019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"], "audience": ["049", "997"], "status": "completed"
    });
    coordinator.post(PATH, &with(webinar(None), &unknown)).await.expect_violations(&[
        ("/host_municipality_code", "events_host_municipality_code_exists"),
        ("/venue/municipality_code", "events_venue_municipality_code_exists"),
        ("/themes/1", "events_themes_exist"),
        ("/tutors/0", "events_tutors_exist"),
        ("/audience/1", "events_audience_exist"),
        ("/status", "events_completed_after_end"),
    ]);
    for (field, value) in [
        ("starts_at", json!("tomorrow")),
        ("starts_at", json!("2098-12-01T10:00:00")),
        ("starts_at", json!("0000-01-01T00:00:00Z")),
        ("starts_at", json!("9999-12-31T23:59:59Z")),
        ("starts_at", json!("infinity")),
        ("starts_at", Value::Null),
        ("tutors", json!(["me"])),
        ("kind", json!("party")),
        ("status", json!("done")),
    ] {
        let answer = coordinator.post(PATH, &with(webinar(None), &json!({field: value}))).await.expect(422);
        let at = answer.body["errors"][0]["pointer"].as_str().unwrap();
        assert!(at == format!("/{field}") || at == format!("/{field}/0"), "{}", answer.text);
    }
}
