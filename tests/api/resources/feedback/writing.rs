//! Creating, changing and deleting feedback.

use serde_json::{Value, json};

use super::{BOTH, PATH, from_partner, ids, of_participant, of_tutor, one, scene, with_themes};
use crate::support::fixtures;

#[tokio::test]
async fn an_account_creates_changes_and_deletes_its_own_feedback() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    let pukkila = server.municipality("616");
    let given = pukkila.post(PATH, &of_participant(&event, "616")).await.expect(201);
    assert_eq!(given.header("location"), format!("{}{}", server.url, one(&given)));
    let account = given.body["respondent"].as_str().unwrap().to_owned();
    assert_eq!(
        given.stable(),
        json!({
            "id": "uuid", "event_id": event, "direction": "participant_to_tutor", "municipality_code": "616",
            "respondent": account, "external_id": null, "rating": 5, "useful": true,
            "themes_wanted": ["email", "applications"], "comment": "Saimme mallin.", "language": "fi",
            "publish_consent": true, "source": "kuntatutorit", "version": "version", "created_at": "time",
            "updated_at": "time"
        })
    );
    let path = one(&given);
    let read = pukkila.get(&path).await.expect(200);
    assert_eq!((&read.body, read.header("cache-control")), (&given.body, "private, no-store"));
    assert!(read.etag().ends_with("-full\""), "{}", read.etag());

    // The body of a GET can be sent back with PUT.
    let mut changed = read.body.clone();
    (changed["rating"], changed["source"], changed["id"]) = (json!(4), json!("other"), json!("other"));
    let replaced = pukkila.if_match(&read.etag()).put(&path, &changed).await.expect(200);
    let mut expected = given.stable();
    expected["rating"] = json!(4);
    assert_eq!(replaced.stable(), expected);
    assert!(replaced.body["version"].as_i64() > given.body["version"].as_i64());

    let less = json!({"comment": null, "themes_wanted": ["email"], "publish_consent": false});
    let merge = pukkila.if_match(&replaced.etag()).with("content-type", "application/merge-patch+json");
    let merged = merge.patch(&path, &less).await.expect(200);
    (expected["comment"], expected["themes_wanted"]) = (Value::Null, json!(["email"]));
    expected["publish_consent"] = json!(false);
    assert_eq!(merged.stable(), expected);
    assert_eq!(pukkila.get(PATH).await.expect(200).body, json!({"items": [merged.body], "next": null}));

    pukkila.if_match(&read.etag()).delete(&path).await.expect_problem(412, "precondition_failed");
    pukkila.if_match(&merged.etag()).delete(&path).await.expect(204);
    pukkila.get(&path).await.expect_problem(404, "not_found");
    pukkila.post(PATH, &of_participant(&event, "616")).await.expect(201);
}

#[tokio::test]
async fn a_write_needs_the_current_etag() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    let pukkila = server.municipality("616");
    let given = pukkila.post(PATH, &of_participant(&event, "616")).await.expect(201);
    let path = one(&given);
    pukkila.put(&path, &given.body).await.expect_problem(428, "precondition_required");
    pukkila.patch(&path, &json!({})).await.expect_problem(428, "precondition_required");
    pukkila.delete(&path).await.expect_problem(428, "precondition_required");
    pukkila.if_match("\"0-full\"").put(&path, &given.body).await.expect_problem(412, "precondition_failed");
    pukkila.with("if-none-match", &given.etag()).get(&path).await.expect(304);
    let writer = pukkila.if_match(&given.etag());
    let (one, other) = (json!({"rating": 1}), json!({"rating": 2}));
    let (first, second) = tokio::join!(writer.patch(&path, &one), writer.patch(&path, &other));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    for id in ["nonsense", "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"] {
        pukkila.if_match("*").delete(&format!("{PATH}/{id}")).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn each_respondent_gives_feedback_once_in_each_direction() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    for code in ["616", "504", "149"] {
        let municipality = server.municipality(code);
        municipality.post(PATH, &of_participant(&event, code)).await.expect(201);
        let again = municipality.post(PATH, &of_participant(&event, code)).await;
        again.expect_problem(409, "feedback_one_per_respondent");
    }
    // Another account of the same municipality is another respondent.
    server.municipality("616").post(PATH, &of_participant(&event, "616")).await.expect(201);
    assert_eq!(ids(&server.coordinator(), &format!("event={event}")).await.len(), 4);

    let partner = server.partner("region", BOTH, None);
    partner.post(PATH, &from_partner("r1", "x1", of_participant(&event, "616"))).await.expect(201);
    partner.post(PATH, &from_partner("r1", "x2", of_tutor(&event, "091"))).await.expect(201);
    partner.post(PATH, &from_partner("r2", "x3", of_participant(&event, "616"))).await.expect(201);
    let twice = partner.post(PATH, &from_partner("r2", "x4", of_participant(&event, "504"))).await;
    twice.expect_problem(409, "feedback_one_per_respondent");
    let taken = partner.post(PATH, &from_partner("r3", "x3", of_participant(&event, "616"))).await;
    taken.expect_problem(409, "feedback_source_external_id_unique");
    server
        .partner("other", BOTH, None)
        .post(PATH, &from_partner("r2", "x3", of_participant(&event, "616")))
        .await
        .expect(201);
    let another = fixtures::insert_event(&server, json!({})).await;
    partner.post(PATH, &from_partner("r2", "x4", of_participant(&another, "616"))).await.expect(201);
    let twin = from_partner("r9", "x9", of_participant(&another, "616"));
    let (first, second) = tokio::join!(partner.post(PATH, &twin), partner.post(PATH, &twin));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn the_coordinator_changes_and_deletes_feedback_of_others() {
    let scene = scene().await;
    let coordinator = scene.server.coordinator();
    let path = one(&scene.of_participant);
    let read = coordinator.get(&path).await.expect(200);
    let mut body = read.body.clone();
    body["comment"] = json!("Saimme mallin, kiitos.");
    let changed = coordinator.if_match(&read.etag()).put(&path, &body).await.expect(200);
    let mut expected = scene.of_participant.stable();
    expected["comment"] = body["comment"].clone();
    assert_eq!(changed.stable(), expected);
    assert_eq!(scene.partner.get(&path).await.body, changed.body);
    let gone = coordinator.if_match(&changed.etag()).delete(&path).await.expect(204);
    assert_eq!(gone.text, "");
    scene.partner.get(&path).await.expect(404);
}

#[tokio::test]
async fn the_identifying_fields_are_fixed_and_the_municipality_can_be_corrected() {
    let scene = scene().await;
    let another = fixtures::insert_event(&scene.server, json!({})).await;
    let path = one(&scene.of_participant);
    let writer = scene.partner.if_match(&scene.of_participant.etag());
    let mut body = scene.of_participant.body.clone();
    (body["event_id"], body["direction"]) = (json!(another), json!("tutor_to_participant"));
    (body["respondent"], body["municipality_code"]) = (json!("q"), json!("999"));
    let broken = [
        ("/event_id", "fixed"),
        ("/direction", "fixed"),
        ("/respondent", "fixed"),
        ("/municipality_code", "feedback_municipality_code_exists"),
    ];
    writer.put(&path, &body).await.expect_violations(&broken);
    writer.patch(&path, &json!({"event_id": another})).await.expect_violations(&[("/event_id", "fixed")]);
    let corrected = writer.patch(&path, &json!({"municipality_code": "504", "respondent": null})).await.expect(200);
    assert_eq!((&corrected.body["municipality_code"], &corrected.body["respondent"]), (&json!("504"), &json!("p")));
    // The same source, now bound to one municipality, keeps the feedback of that municipality.
    let bound = scene.server.partner("region", BOTH, Some("616")).if_match(&corrected.etag());
    bound.patch(&path, &json!({"municipality_code": "092"})).await.expect_problem(403, "out_of_reach");
    let changed = bound.patch(&path, &json!({"rating": 3})).await.expect(200);
    assert_eq!((&changed.body["municipality_code"], &changed.body["rating"]), (&json!("504"), &json!(3)));
}
