//! A tutor's summary adds up the published figures of the tutor's events.

use serde_json::{Value, json};

use super::{CODES, of_event, of_tutor, scene};
use crate::support::fixtures;

#[tokio::test]
async fn removing_an_event_leaves_the_figures_of_the_others() {
    let scene = scene().await;
    let tutor = fixtures::insert_tutor(&scene.server, "049").await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(fixtures::insert_event(&scene.server, json!({"tutors": [tutor]})).await);
    }
    let summary = async || scene.partner.get(&of_tutor(&tutor)).await.expect(200);
    let empty = summary().await;
    assert_eq!(empty.body["participant_to_tutor"]["rating"], Value::Null);
    for (event, municipalities) in [(0, 3), (1, 5), (2, 2)] {
        for code in &CODES[..municipalities] {
            let said =
                json!({"rating": 1 + event, "themes_wanted": ["email"], "comment": "c", "publish_consent": true});
            scene.give_on(&events[event], code, said).await;
        }
    }
    let full = summary().await;
    assert_ne!(full.etag(), empty.etag());
    assert_eq!(
        full.body["participant_to_tutor"]["rating"],
        json!({"count": 6, "mean": 1.5, "distribution": {"1": 3, "2": 3, "3": 0, "4": 0, "5": 0}})
    );
    assert_eq!(full.body["participant_to_tutor"]["themes_wanted"], json!({"email": 6}));
    assert_eq!(full.body["participant_to_tutor"]["comments"].as_array().unwrap().len(), 6);
    let mut rest = 6;
    for event in &events {
        rest -= scene.partner.get(&of_event(event)).await.body["participant_to_tutor"]["count"].as_i64().unwrap();
    }
    assert_eq!(rest, 0);

    // When the tutor leaves an event, all its figures leave the sum.
    let path = format!("/v1/events/{}", events[0]);
    scene.coordinator.if_match("*").patch(&path, &json!({"tutors": []})).await.expect(200);
    let left = summary().await;
    assert_eq!(left.body["participant_to_tutor"]["rating"]["mean"], 2.0);
    assert_ne!(left.etag(), full.etag());
    scene.partner.with("if-none-match", &left.etag()).get(&of_tutor(&tutor)).await.expect(304);
    scene.partner.get(&of_tutor(&scene.event)).await.expect_problem(404, "not_found");
}
