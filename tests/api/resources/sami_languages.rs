//! The Sámi languages of municipalities and of their texts.

use super::municipalities::new_municipality;
use crate::support::Server;
use serde_json::{Value, json};

fn utsjoki() -> Value {
    let mut new = new_municipality();
    new["code"] = json!("890");
    new["name"] = json!({"fi": "Utsjoki", "se": "Ohcejohka"});
    new["language_status"] = json!("fi");
    new["sami_languages"] = json!(["se"]);
    new
}

#[tokio::test]
async fn a_name_has_a_sami_part_and_is_found_by_it() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let created = coordinator.post("/v1/municipalities", &utsjoki()).await.expect(201);
    assert_eq!(created.body["name"], json!({"fi": "Utsjoki", "se": "Ohcejohka"}));
    assert_eq!(created.body["sami_languages"], json!(["se"]));
    assert_eq!(coordinator.get("/v1/municipalities/890").await.body, created.body);
    let found = coordinator.get("/v1/municipalities?q=ohcejohka").await.expect(200);
    assert_eq!(found.column("code"), ["890"]);
}

#[tokio::test]
async fn a_sami_language_is_one_of_three_and_given_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for (languages, at, code) in [
        (json!(["se", "se"]), "/sami_languages", "duplicate"),
        (json!(["fi"]), "/sami_languages/0", "wrong_type"),
        (json!("se"), "/sami_languages", "wrong_type"),
        (Value::Null, "/sami_languages", "wrong_type"),
    ] {
        let mut new = utsjoki();
        new["sami_languages"] = languages;
        coordinator.post("/v1/municipalities", &new).await.expect_violations(&[(at, code)]);
    }
    let mut all = utsjoki();
    all["sami_languages"] = json!(["smn", "sms", "se"]);
    let created = coordinator.post("/v1/municipalities", &all).await.expect(201);
    assert_eq!(created.body["sami_languages"], all["sami_languages"]);
}

#[tokio::test]
async fn only_the_coordinator_changes_the_sami_languages() {
    let server = Server::start();
    let (coordinator, path) = (server.coordinator(), "/v1/municipalities/049");
    let espoo = server.municipality("049");
    let etag = espoo.get(path).await.etag();
    let change = json!({"sami_languages": ["sms"]});
    let refused = espoo.if_match(&etag).patch(path, &change).await.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("`sami_languages`"), "{}", refused.text);
    let changed = coordinator.if_match(&etag).patch(path, &change).await.expect(200);
    assert_eq!(changed.body["sami_languages"], json!(["sms"]));
    let emptied = coordinator.if_match(&changed.etag()).patch(path, &json!({"sami_languages": null})).await.expect(200);
    assert_eq!(emptied.body["sami_languages"], json!([]));
}

#[tokio::test]
async fn a_put_without_a_later_field_leaves_it_as_it_is() {
    let server = Server::start();
    let (coordinator, path) = (server.coordinator(), "/v1/municipalities/890");
    let created = coordinator.post("/v1/municipalities", &utsjoki()).await.expect(201);
    let mut body = created.body.clone();
    body.as_object_mut().unwrap().remove("sami_languages").unwrap();
    body["population"] = json!(1235);
    let replaced = coordinator.if_match(&created.etag()).put(path, &body).await.expect(200);
    assert_eq!((&replaced.body["population"], &replaced.body["sami_languages"]), (&json!(1235), &json!(["se"])));

    // The municipality itself may send the body without the field, because it changes nothing.
    let own = server.municipality("890");
    let kept = own.if_match(&replaced.etag()).put(path, &body).await.expect(200);
    assert_eq!(kept.body["sami_languages"], json!(["se"]));

    body["sami_languages"] = json!([]);
    own.if_match(&kept.etag()).put(path, &body).await.expect_problem(403, "out_of_reach");
    let emptied = coordinator.if_match(&kept.etag()).put(path, &body).await.expect(200);
    assert_eq!(emptied.body["sami_languages"], json!([]));
}
