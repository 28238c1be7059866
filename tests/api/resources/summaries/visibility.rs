//! The visibility of the parts of a summary.

use serde_json::{Value, json};

use super::{CODES, of_event, of_participants, of_tutor, scene, scene_with};
use crate::support::fixtures;

#[tokio::test]
async fn only_the_host_the_tutors_and_the_coordinator_see_feedback_of_tutors() {
    let scene = scene().await;
    let server = &scene.server;
    let presenter = fixtures::insert_tutor(server, "049").await;
    let event = fixtures::insert_event(server, json!({"tutors": [presenter]})).await;
    let outside = scene.partner.get(&of_event(&event)).await.expect(200);
    scene.partner.post("/v1/feedback", &of_participants(&event, "t1", 5)).await.expect(201);
    let given = scene.partner.post("/v1/feedback", &of_participants(&event, "t2", 2)).await.expect(201);
    let said = json!({
        "count": 2, "rating": {"count": 2, "mean": 3.5, "distribution": {"1": 0, "2": 1, "3": 0, "4": 0, "5": 1}},
        "useful": null, "themes_wanted": {},
        "comments": [{"comment": "Innostunut joukko.", "language": null}, {"comment": "Innostunut joukko.", "language": null}]
    });
    let insiders = [server.municipality("091"), server.tutor("049", &presenter), server.coordinator()];
    for client in &insiders {
        let answer = client.get(&of_event(&event)).await.expect(200);
        assert_eq!(answer.body["tutor_to_participant"], said);
        assert!(answer.etag().ends_with("-full\""), "{}", answer.etag());
    }
    let another = fixtures::insert_tutor(server, "049").await;
    let host_system = server.partner("host", "summaries:read feedback:read", Some("091"));
    for client in [&scene.partner, &host_system, &server.municipality("049"), &server.tutor("049", &another)] {
        let answer = client.get(&of_event(&event)).await.expect(200);
        assert_eq!((&answer.body, answer.etag()), (&outside.body, outside.etag()), "not even that there is feedback");
    }
    scene.delete(&given).await;
    let after = insiders[0].get(&of_event(&event)).await.expect(200);
    assert_eq!(after.body["tutor_to_participant"]["rating"]["mean"], 5.0);

    for client in [server.tutor("049", &presenter), server.coordinator()] {
        assert_eq!(client.get(&of_tutor(&presenter)).await.expect(200).body["tutor_to_participant"]["count"], 1);
    }
    for client in [server.tutor("049", &another), server.municipality("091"), scene.partner.clone()] {
        assert_eq!(client.get(&of_tutor(&presenter)).await.expect(200).body["tutor_to_participant"], Value::Null);
    }
    assert!(scene.verify().await.is_empty());
}

#[tokio::test]
async fn later_consent_of_a_tutor_changes_the_etag() {
    let scene = scene().await;
    let presenter = fixtures::insert_tutor(&scene.server, "049").await;
    let event = fixtures::insert_event(&scene.server, json!({"tutors": [presenter]})).await;
    let mut said = of_participants(&event, "t1", 5);
    said["publish_consent"] = json!(false);
    let given = scene.partner.post("/v1/feedback", &said).await.expect(201);
    for path in [of_event(&event), of_tutor(&presenter)] {
        let comments = async |tag: &str, status| {
            let answer = scene.coordinator.with("if-none-match", tag).get(&path).await.expect(status);
            (answer.etag(), answer.body["tutor_to_participant"]["comments"].as_array().map(Vec::len))
        };
        let (none, _) = comments("\"none\"", 200).await;
        comments(&none, 304).await;
        scene.edit(&given, json!({"publish_consent": true})).await;
        let (one, shown) = comments(&none, 200).await;
        assert_eq!(shown, Some(1));
        scene.edit(&given, json!({"publish_consent": false})).await;
        assert_eq!(comments(&one, 200).await.1, Some(0));
    }
}

#[tokio::test]
async fn public_read_makes_summaries_public() {
    let scene = scene_with(&[("PUBLIC_READ", "true")], json!({})).await;
    for code in &CODES[..3] {
        scene.give(code, json!({"useful": true})).await;
    }
    let anonymous = scene.server.anonymous();
    let answer = anonymous.get(&of_event(&scene.event)).await.expect(200);
    assert_eq!(answer.body["participant_to_tutor"]["useful"], json!({"count": 3, "yes": 3, "share": 1.0}));
    assert_eq!(answer.body["tutor_to_participant"], Value::Null);
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let tutor = fixtures::insert_tutor(&scene.server, "049").await;
    assert_eq!(anonymous.get(&of_tutor(&tutor)).await.expect(200).body["participant_to_tutor"]["count"], 0);
    anonymous.get("/v1/feedback").await.expect(401);
}

#[tokio::test]
async fn callers_that_cannot_see_a_draft_cannot_see_its_summary() {
    let scene = scene_with(&[], json!({"status": "draft"})).await;
    scene.server.municipality("091").get(&of_event(&scene.event)).await.expect(200);
    scene.server.municipality("049").get(&of_event(&scene.event)).await.expect_problem(404, "not_found");
    scene.coordinator.get(&of_event("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")).await.expect_problem(404, "not_found");
}
