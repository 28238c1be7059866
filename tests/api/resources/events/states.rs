//! States: draft, published, postponed, completed, cancelled.

use serde_json::json;

use super::{PATH, change, path_of, webinar, with};
use crate::support::Server;

#[tokio::test]
async fn a_municipality_creates_publishes_postpones_and_cancels_an_event() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post(PATH, &webinar(Some("049"))).await.expect(201);
    let location = format!("{}{}", server.url, path_of(&created.body));
    assert_eq!(created.header("location"), location);
    let service_fields = json!({
        "id": "uuid", "source": "kuntatutorit", "previous_starts_at": null, "version": "version", "created_at": "time",
        "updated_at": "time"
    });
    assert_eq!(created.stable(), with(webinar(Some("049")), &service_fields));

    let event = created.body;
    change(&espoo, &event, &json!({"status": "published"})).await;
    let reason = json!({"status": "postponed", "status_reason": {"fi": "Poikkeusolot"}});
    assert_eq!(change(&espoo, &event, &reason).await["status"], "postponed");
    let moved = json!({"status": "published", "starts_at": "2099-01-12T10:00:00+02:00", "ends_at": "2099-01-12T11:30:00+02:00"});
    let moved = change(&espoo, &event, &moved).await;
    assert_eq!(moved["starts_at"], "2099-01-12T08:00:00Z");
    assert_eq!(moved["previous_starts_at"], event["starts_at"]);
    assert_eq!(moved["status_reason"], json!(null), "the reason belonged to the postponement");
    let etag = espoo.get(&path_of(&event)).await.etag();
    let completed = espoo.if_match(&etag).patch(&path_of(&event), &json!({"status": "completed"})).await;
    completed.expect_violations(&[("/status", "events_completed_after_end")]);
    change(&espoo, &event, &json!({"status": "cancelled"})).await;
    let etag = espoo.get(&path_of(&event)).await.etag();
    let refused = espoo.if_match(&etag).patch(&path_of(&event), &json!({"status": "published"})).await;
    let refused = refused.expect_problem(409, "events_status_transition");
    assert_eq!(
        (&refused.body["from"], &refused.body["to"], &refused.body["allowed"]),
        (&json!("cancelled"), &json!("published"), &json!([]))
    );
}

#[tokio::test]
async fn only_the_listed_transitions_are_possible() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let held = json!({"starts_at": "2026-05-01T10:00:00Z", "ends_at": "2026-05-01T11:00:00Z"});
    let states = ["draft", "published", "postponed", "completed", "cancelled"];
    for from in states {
        for to in states {
            let event = with(with(webinar(None), &held), &json!({"status": from}));
            let created = coordinator.post(PATH, &event).await.expect(201);
            let answer =
                coordinator.if_match(&created.etag()).patch(&path_of(&created.body), &json!({"status": to})).await;
            let next: &[&str] = match from {
                "draft" | "postponed" => &["published", "cancelled"],
                "published" => &["postponed", "completed", "cancelled"],
                _ => &[],
            };
            let allowed = from == to || next.contains(&to);
            assert_eq!(answer.status, if allowed { 200 } else { 409 }, "{from} to {to}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_completed_event_keeps_its_time_and_place() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let path = format!("{PATH}/{}", server.create_event("049").await);
    let later = json!({"starts_at": "2098-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"});
    espoo.if_match("*").patch(&path, &later).await.expect_problem(403, "out_of_reach");
    let refused = server.coordinator().if_match("*").patch(&path, &later).await;
    refused.expect_violations(&[("/status", "events_completed_after_end")]);
    espoo.if_match("*").patch(&path, &json!({"title": {"sv": "Evenemang"}})).await.expect(200);
}

#[tokio::test]
async fn a_put_without_a_status_is_told_where_the_status_came_from() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post(PATH, &webinar(Some("049"))).await.expect(201).body;
    change(&espoo, &created, &json!({"status": "published"})).await;
    let mut body = webinar(Some("049"));
    body.as_object_mut().unwrap().remove("status");
    let put = espoo.if_match("*").put(&path_of(&created), &body).await.expect_problem(409, "events_status_transition");
    let detail = put.body["detail"].as_str().unwrap();
    assert!(detail.starts_with("the body has no `status`, which means `draft`: "), "{detail}");
    assert_eq!((&put.body["from"], &put.body["to"]), (&json!("published"), &json!("draft")));
    body["status"] = json!("draft");
    let put = espoo.if_match("*").put(&path_of(&created), &body).await.expect_problem(409, "events_status_transition");
    assert!(put.body["detail"].as_str().unwrap().starts_with("the status cannot change"), "{}", put.text);
}
