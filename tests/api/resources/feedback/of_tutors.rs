//! A municipality speaks as a tutor only on events that it hosts or at which one of its tutors presents.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{BOTH, PATH, from_partner, of_participant, of_tutor, one, with_themes};
use crate::support::{Server, fixtures, sql};

const BROKEN: (&str, &str) = ("/municipality_code", "feedback_tutor_of_event");

/// Returns a server, and an event that Helsinki (091) hosts and at which a tutor of Espoo (049) presents.
async fn scene() -> (Server, String) {
    let server = with_themes().await;
    let presenter = fixtures::insert_tutor(&server, "049").await;
    let event = fixtures::insert_event(&server, json!({"tutors": [presenter]})).await;
    (server, event)
}

#[tokio::test]
async fn nobody_speaks_as_a_tutor_of_a_municipality_without_a_tutor_at_the_event() {
    let (server, event) = scene().await;
    let pukkila = server.partner("pukkila", BOTH, Some("616"));
    let answers = join_all((0..20).map(|n| {
        let body = from_partner(&n.to_string(), &n.to_string(), of_tutor(&event, "616"));
        let pukkila = &pukkila;
        async move { pukkila.post(PATH, &body).await.status }
    }));
    assert_eq!(answers.await, [422; 20]);
    let sent = from_partner("k", "k", of_tutor(&event, "616"));
    pukkila.with("idempotency-key", "once").post(PATH, &sent).await.expect_violations(&[BROKEN]);
    // The rule is about the municipality, so it holds for the whole region's partner and for the coordinator too.
    let region = server.partner("region", BOTH, None);
    region.post(PATH, &from_partner("r", "r", of_tutor(&event, "092"))).await.expect_violations(&[BROKEN]);
    let answer = server.coordinator().post(PATH, &of_tutor(&event, "092")).await.expect_violations(&[BROKEN]);
    assert!(answer.text.contains("host municipality"), "{}", answer.text);
    let summary = format!("/v1/events/{event}/feedback-summary");
    let of_host = server.municipality("091").get(&summary).await.expect(200);
    assert_eq!(of_host.body["tutor_to_participant"]["count"], 0, "{}", of_host.text);

    // Participants come from everywhere, and the host and the presenter's municipality speak as tutors.
    pukkila.post(PATH, &from_partner("p", "p", of_participant(&event, "616"))).await.expect(201);
    for code in ["049", "091"] {
        region.post(PATH, &from_partner(code, code, of_tutor(&event, code))).await.expect(201);
    }
    let of_host = server.municipality("091").get(&summary).await.expect(200);
    assert_eq!(of_host.body["tutor_to_participant"]["count"], 2);
}

#[tokio::test]
async fn the_rule_is_reported_together_with_the_others_and_reveals_no_draft() {
    let (server, _) = scene().await;
    let coordinator = server.coordinator();
    let long_ago = json!({"starts_at": fixtures::hours_from_now(-9999), "ends_at": fixtures::hours_from_now(-9990)});
    let event = fixtures::insert_event(&server, long_ago).await;
    let late = ("/event_id", "feedback_within_60_days");
    coordinator.post(PATH, &of_tutor(&event, "616")).await.expect_violations(&[late, BROKEN]);
    let nobodys = fixtures::insert_event(&server, json!({"host_municipality_code": null})).await;
    coordinator.post(PATH, &of_tutor(&nobodys, "616")).await.expect_violations(&[BROKEN]);
    let draft = fixtures::insert_event(&server, json!({"status": "draft"})).await;
    let region = server.partner("region", BOTH, None);
    let unknown = [("/event_id", "feedback_event_id_exists")];
    region.post(PATH, &from_partner("d", "d", of_tutor(&draft, "616"))).await.expect_violations(&unknown);
}

#[tokio::test]
async fn a_change_cannot_move_the_answer_to_a_municipality_without_a_tutor_at_the_event() {
    let (server, event) = scene().await;
    let region = server.partner("region", BOTH, None);
    let given = region.post(PATH, &from_partner("t", "t", of_tutor(&event, "049"))).await.expect(201);
    let mut moved = given.body.clone();
    moved["municipality_code"] = json!("616");
    let writer = region.if_match("*");
    for caller in [&writer, &server.coordinator().if_match("*")] {
        caller.patch(&one(&given), &json!({"municipality_code": "616"})).await.expect_violations(&[BROKEN]);
        caller.put(&one(&given), &moved).await.expect_violations(&[BROKEN]);
    }
    writer.patch(&one(&given), &json!({"municipality_code": "091"})).await.expect(200);
    writer.patch(&one(&given), &json!({"municipality_code": "049"})).await.expect(200);
    // A later change of the event's tutors takes no answer away from its respondent, who can still withdraw a comment.
    server.execute(&format!("update events set tutors = '{{}}' where id = '{event}'")).await;
    let withdrawn = json!({"comment": null, "rating": 3});
    let kept = writer.patch(&one(&given), &withdrawn).await.expect(200);
    assert_eq!((&kept.body["municipality_code"], &kept.body["comment"]), (&json!("049"), &Value::Null));
}

#[tokio::test]
async fn the_database_enforces_the_rule_by_itself() {
    let (server, event) = scene().await;
    for (direction, code, broken) in [
        ("tutor_to_participant", "616", Some("feedback_tutor_of_event")),
        ("tutor_to_participant", "049", None),
        ("tutor_to_participant", "091", None),
        ("participant_to_tutor", "616", None),
    ] {
        let insert = format!(
            "insert into feedback (id, source, event_id, direction, municipality_code, respondent)
             values (gen_random_uuid(), 'test', '{event}', '{direction}', '{code}', '{code}')"
        );
        assert_eq!(sql::broken_constraint(&server, &insert).await.as_deref(), broken, "{direction} {code}");
    }
    let moved = "update feedback set municipality_code = '616' where municipality_code = '049'";
    assert_eq!(sql::broken_constraint(&server, moved).await.as_deref(), Some("feedback_tutor_of_event"));
}
