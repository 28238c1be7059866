//! The rules of the input.

use serde_json::{Value, json};

use super::{espoo_tutor, path};
use crate::support::Server;

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let mut new = espoo_tutor();
    (new["external_id"], new["name"], new["title"]) = (json!(""), json!(" "), json!({"fi": "x".repeat(201)}));
    (new["municipality_code"], new["perspective"]) = (json!("Espoo"), json!({}));
    (new["themes"], new["languages"]) = (json!(["email", "E-mail", "email"]), json!(["fi", "finnish"]));
    (new["contact"], new["age"]) = (json!({"email": "nobody", "phone": "call me", "fax": "1"}), json!(40));
    server.coordinator().post("/v1/tutors", &new).await.expect_violations(&[
        ("/age", "unknown_field"),
        ("/contact/fax", "unknown_field"),
        ("/external_id", "too_short"),
        ("/name", "blank"),
        ("/title/fi", "too_long"),
        ("/municipality_code", "invalid_code"),
        ("/perspective", "required"),
        ("/themes/1", "invalid_slug"),
        ("/themes", "duplicate"),
        ("/languages/1", "invalid_language"),
        ("/contact/email", "invalid_email"),
        ("/contact/phone", "invalid_phone"),
    ]);
}

#[tokio::test]
async fn every_bound_is_enforced() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let many = |count: usize, item: fn(usize) -> String| json!((0..count).map(item).collect::<Vec<_>>());
    let tag = |index: usize| format!("{}-{index:03}", ["fi", "se"][index % 2]);
    let unknown = |index: usize| format!("theme-{index}");
    for (field, value, violation) in [
        ("external_id", json!("x".repeat(200)), None),
        ("external_id", json!("x".repeat(201)), Some(("/external_id", "too_long"))),
        ("name", json!("ä".repeat(200)), None),
        ("name", json!("ä".repeat(201)), Some(("/name", "too_long"))),
        ("name", Value::Null, Some(("/name", "wrong_type"))),
        ("languages", many(20, tag), None),
        ("languages", many(21, tag), Some(("/languages", "too_long"))),
        ("languages", json!(["fi", "fi"]), Some(("/languages", "duplicate"))),
        ("themes", many(51, unknown), Some(("/themes", "too_long"))),
        ("status", json!("left"), Some(("/status", "wrong_type"))),
        ("visibility", json!("private"), Some(("/visibility", "wrong_type"))),
        ("contact", json!({}), Some(("/contact", "required"))),
        ("contact", json!({"email": null, "phone": null}), Some(("/contact", "required"))),
        ("contact", json!({"phone": "112"}), None),
        ("contact", json!({"phone": "11"}), Some(("/contact/phone", "invalid_phone"))),
        ("contact", json!({"phone": "+()"}), Some(("/contact/phone", "invalid_phone"))),
        ("contact", json!({"phone": "1".repeat(30)}), None),
        ("contact", json!({"phone": "1".repeat(31)}), Some(("/contact/phone", "invalid_phone"))),
        ("contact", json!({"email": ""}), Some(("/contact/email", "invalid_email"))),
    ] {
        let mut new = espoo_tutor();
        (new["external_id"], new[field]) = (Value::Null, value);
        let answer = coordinator.post("/v1/tutors", &new).await;
        match violation {
            None => answer.expect(201),
            Some(violation) => answer.expect_violations(&[violation]),
        };
    }
    let required = [("/name", "required")];
    coordinator.post("/v1/tutors", &json!({"municipality_code": "049"})).await.expect_violations(&required);
}

#[tokio::test]
async fn every_broken_reference_is_reported() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut new = espoo_tutor();
    (new["themes"], new["municipality_code"]) = (json!(["chess", "email", "sauna"]), json!("999"));
    let nowhere = [
        ("/themes/0", "tutors_themes_exist"),
        ("/themes/2", "tutors_themes_exist"),
        ("/municipality_code", "tutors_municipality_code_exists"),
    ];
    coordinator.post("/v1/tutors", &new).await.expect_violations(&nowhere);
    let id = path(&server.create_tutor("049").await);
    coordinator.if_match("*").put(&id, &new).await.expect_violations(&nowhere);
    coordinator
        .if_match("*")
        .patch(&id, &json!({"themes": ["sauna"]}))
        .await
        .expect_violations(&[("/themes/0", "tutors_themes_exist")]);
}

#[tokio::test]
async fn a_patch_must_keep_the_rules() {
    let server = Server::start();
    let id = path(&server.create_tutor("049").await);
    let writer = server.municipality("049").if_match("*");
    let no_way = json!({"contact": {"email": null}});
    writer.patch(&id, &no_way).await.expect_violations(&[("/contact", "required")]);
    writer.patch(&id, &json!({"name": null})).await.expect_violations(&[("/name", "required")]);
    writer.patch(&id, &json!({"nickname": "T"})).await.expect_violations(&[("/nickname", "unknown_field")]);
    writer.patch(&id, &json!({"status": null})).await.expect_violations(&[("/status", "required")]);
    let answer = writer.patch(&id, &json!({"contact": null, "themes": null})).await.expect(200);
    assert_eq!((&answer.body["contact"], &answer.body["themes"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_write_needs_the_current_etag() {
    let server = Server::start();
    let id = path(&server.create_tutor("049").await);
    let espoo = server.municipality("049");
    let read = espoo.get(&id).await;
    espoo.put(&id, &read.body).await.expect_problem(428, "precondition_required");
    espoo.delete(&id).await.expect_problem(428, "precondition_required");
    // An ETag of the view that other callers get is not valid for a write.
    let reduced = read.etag().replace("full", "reduced");
    espoo.if_match(&reduced).put(&id, &read.body).await.expect_problem(412, "precondition_failed");
    espoo.if_match(&reduced).patch(&id, &json!({})).await.expect_problem(412, "precondition_failed");
    espoo.if_match(&reduced).delete(&id).await.expect_problem(412, "precondition_failed");
    espoo.if_match(&read.etag()).patch(&id, &json!({"name": "Toinen"})).await.expect(200);
    espoo.if_match(&read.etag()).put(&id, &read.body).await.expect_problem(412, "precondition_failed");
}

#[tokio::test]
async fn phone_numbers_are_stored_in_one_form() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (sent, stored) in [
        ("+358\u{a0}9\u{202f}123\u{a0}456", "+3589123456"),
        ("+358 (0)9-123 456", "+3589123456"),
        ("09\u{a0}123  456", "09 123 456"),
    ] {
        let new = json!({"name": "Kuntatutor", "municipality_code": "049", "contact": {"phone": sent}});
        let created = espoo.post("/v1/tutors", &new).await.expect(201);
        assert_eq!(created.body["contact"]["phone"], stored);
        let path = format!("/v1/tutors/{}", created.body["id"].as_str().unwrap());
        let patch = json!({"contact": {"phone": sent}});
        let patched = espoo.if_match("*").patch(&path, &patch).await.expect(200);
        assert_eq!(patched.etag(), created.etag(), "another form of the same number changes nothing");
    }
}
