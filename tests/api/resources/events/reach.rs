//! The callers that may see and write an event.

use serde_json::{Value, json};

use super::{PATH, create, path_of, webinar, with};
use crate::support::Server;

#[tokio::test]
async fn only_its_host_and_the_coordinator_see_a_draft() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let espoo = server.municipality("049");
    let draft = create(&espoo, &webinar(Some("049"))).await;
    let path = path_of(&draft);
    let reader = "events:read";
    for (client, status) in [
        (server.anonymous(), 404),
        (server.municipality("092"), 404),
        (server.partner("region", reader, None), 404),
        (server.partner("vantaa", "events:read events:write", Some("092")), 404),
        (server.partner("region", "events:read events:write", None), 200),
        (server.partner("espoo", reader, Some("049")), 200),
        (server.municipality("049"), 200),
        (server.coordinator(), 200),
    ] {
        let answer = client.get(&path).await.expect(status);
        let listed = client.all(&format!("{PATH}?starts_after=2026-01-01T00:00:00Z")).await.len();
        let found = client.all(&format!("{PATH}?q=etätuki&starts_after=2026-01-01T00:00:00Z")).await.len();
        assert_eq!((listed, found), if status == 200 { (1, 1) } else { (0, 0) }, "{}", answer.text);
    }
    let network = create(&server.coordinator(), &webinar(None)).await;
    server.partner("region", "events:read events:write", None).get(&path_of(&network)).await.expect(404);
    espoo.get(&path_of(&network)).await.expect(404);
}

#[tokio::test]
async fn only_the_host_the_tutors_and_the_audience_see_online_url() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let coordinator = server.coordinator();
    let tutor = server.create_tutor("091").await;
    let tailored = json!({"audience": ["611"], "tutors": [tutor], "status": "published"});
    let event = create(&coordinator, &with(webinar(Some("049")), &tailored)).await;
    let url = json!("https://video.example/abc");
    let region = "events:read events:write";
    for (client, seen) in [
        (server.anonymous(), false),
        (server.municipality("092"), false),
        (server.partner("region-r", "events:read", None), false),
        (server.partner("region-w", region, None), true),
        (server.municipality("049"), true),
        (server.municipality("611"), true),
        (server.tutor("091", &tutor), true),
        (server.municipality("091"), false),
        (server.partner("pornainen", "events:read", Some("611")), true),
        (coordinator.clone(), true),
    ] {
        let answer = client.get(&path_of(&event)).await.expect(200);
        assert_eq!(answer.body["online_url"] == url, seen, "{}", answer.text);
        assert!(answer.etag().contains(if seen { "full" } else { "reduced" }));
        let listed = client.get(&format!("{PATH}?audience=611")).await.expect(200);
        assert_eq!(listed.text.contains("video.example"), seen);
    }
    let open = create(&coordinator, &with(webinar(Some("049")), &json!({"status": "published"}))).await;
    assert_eq!(server.municipality("092").get(&path_of(&open)).await.body["online_url"], url);
    assert_eq!(server.anonymous().get(&path_of(&open)).await.body["online_url"], Value::Null);
}

#[tokio::test]
async fn a_caller_writes_only_events_of_its_municipality() {
    let server = Server::start();
    let (espoo, vantaa, coordinator) = (server.municipality("049"), server.municipality("092"), server.coordinator());
    let refused = espoo.post(PATH, &webinar(Some("092"))).await.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("092"));
    espoo.post(PATH, &webinar(None)).await.expect_problem(403, "out_of_reach");
    let published = with(webinar(Some("049")), &json!({"status": "published"}));
    espoo.post(PATH, &published).await.expect_problem(403, "out_of_reach");
    let event = create(&coordinator, &published).await;
    let etag = vantaa.get(&path_of(&event)).await.etag();
    vantaa.if_match(&etag).patch(&path_of(&event), &json!({})).await.expect_problem(403, "out_of_reach");
    vantaa.if_match(&etag).put(&path_of(&event), &event).await.expect_problem(403, "out_of_reach");
    vantaa.if_match(&etag).delete(&path_of(&event)).await.expect_problem(403, "out_of_reach");
    // Nor can a caller give an event to another municipality or take one from it.
    let given = json!({"host_municipality_code": "092"});
    espoo.if_match(&etag).patch(&path_of(&event), &given).await.expect_problem(403, "out_of_reach");
    espoo.if_match(&etag).patch(&path_of(&event), &json!({"capacity": 5})).await.expect(200);

    let partner = server.partner("espoo-calendar", "events:read events:write", Some("049"));
    let pushed =
        partner.post(PATH, &with(webinar(Some("049")), &json!({"external_id": "e-1", "source": "vantaa"}))).await;
    let pushed = pushed.expect(201).body;
    assert_eq!((&pushed["source"], &pushed["external_id"]), (&json!("espoo-calendar"), &json!("e-1")));
    let twice = with(webinar(Some("049")), &json!({"external_id": "e-1"}));
    partner.post(PATH, &twice).await.expect_problem(409, "events_source_external_id_unique");
    espoo.post(PATH, &twice).await.expect(201);
    let mine = partner.get(&format!("{PATH}?source=espoo-calendar&external_id=e-1")).await.expect(200);
    assert_eq!(mine.column("id"), [pushed["id"].as_str().unwrap()]);
    let reader = server.partner("reader", "events:read", Some("049"));
    reader.post(PATH, &webinar(Some("049"))).await.expect_problem(403, "missing_scope");
}
