//! A resource that others refer to cannot be deleted, and the answer tells what refers to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    Server, databases::fresh_database, document::operations, fixtures, rows::Rows, sql::query_lines_at,
};
use kuntatutorit::{registry::COLLECTIONS, resources::references::FIELDS};

#[tokio::test]
async fn every_restricting_foreign_key_is_a_field_that_the_answer_names() {
    let deletable: Vec<_> = COLLECTIONS
        .iter()
        .filter(|of| {
            operations().iter().any(|o| o.method == "DELETE" && o.path == format!("{}/{{{}}}", of.path(), of.key))
        })
        .map(|of| format!("'{}'::regclass", of.table()))
        .collect();
    let query = format!(
        "select conname::text as line from pg_constraint where contype = 'f' and confdeltype in ('a', 'r') \
         and confrelid in ({}) and conname <> 'accounts_tutor_of_municipality'",
        deletable.join(", ")
    );
    let keys: BTreeSet<_> = query_lines_at(&fresh_database(), &query).await.into_iter().collect();
    let fields: BTreeSet<_> = FIELDS.iter().map(|field| field.foreign_key.to_owned()).collect();
    assert_eq!(keys, fields, "FIELDS of src/resources/references.rs must have every restricting foreign key");
}

/// Deletes the row, and returns the fields that refer to it, each with the number of rows and the first key.
async fn refused(client: &crate::support::client::Client, path: &str) -> Vec<Value> {
    let refused = client.if_match("*").delete(path).await.expect_problem(409, "in_use");
    refused.body["references"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_field_that_refers_is_named_and_its_list_has_the_rows() {
    let server = Server::start();
    let coordinator = server.coordinator();
    Rows::of(&server, "616").await;
    for (path, to) in targets(&server).await {
        let references = refused(&coordinator, &path).await;
        let named: BTreeSet<_> =
            references.iter().map(|of| (of["collection"].as_str().unwrap(), of["field"].as_str().unwrap())).collect();
        let expected: BTreeSet<_> =
            FIELDS.iter().filter(|of| of.to == to).map(|of| (of.collection, of.field)).collect();
        assert_eq!(named, expected, "{path}");
        for reference in references {
            let listed = coordinator.all(reference["path"].as_str().unwrap()).await;
            assert_eq!(reference["count"], json!(listed.len()), "{reference}");
            let collection = COLLECTIONS.iter().find(|of| reference["collection"] == of.name).unwrap();
            let keys: BTreeSet<_> = listed.iter().map(|row| row[collection.key].to_string()).collect();
            let told = reference["keys"].as_array().unwrap();
            assert!(!told.is_empty() && told.iter().all(|key| keys.contains(&key.to_string())), "{reference}");
        }
    }
}

/// Creates rows that refer to a municipality, a theme, a tutor and an event in every field. Returns the paths of these,
/// with their collections.
async fn targets(server: &Server) -> Vec<(String, &'static str)> {
    let coordinator = server.coordinator();
    fixtures::insert_themes(server, &["taito"]).await;
    let part = json!({"slug": "osataito", "kind": "theme", "name": {"fi": "Osataito"}, "parent": "taito"});
    coordinator.post("/v1/themes", &part).await.expect(201);
    let tutor = server.create_tutor_with("616", &json!({"themes": ["taito"]})).await;
    let mut event = fixtures::event_body("616", "completed");
    json_patch::merge(
        &mut event,
        &json!({
            "venue": {"municipality_code": "616"}, "audience": ["616"], "tutors": [tutor], "themes": ["taito"]
        }),
    );
    let event = coordinator.post("/v1/events", &event).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let feedback = json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": "616", "themes_wanted": ["taito"],
        "respondent": "1"
    });
    server.partner("refers", "feedback:write", None).post("/v1/feedback", &feedback).await.expect(201);
    let account = json!({"role": "tutor", "municipality_code": "616", "tutor_id": tutor});
    fixtures::insert_account(server, "viittaa@kunta.example", account).await;
    server
        .execute("update municipalities set successor_code = '616', ended_on = '2026-01-01' where code = '504'")
        .await;
    vec![
        ("/v1/municipalities/616".to_owned(), "municipalities"),
        ("/v1/themes/taito".to_owned(), "themes"),
        (format!("/v1/tutors/{tutor}"), "tutors"),
        (format!("/v1/events/{event}"), "events"),
    ]
}

#[tokio::test]
async fn a_caller_is_told_only_what_it_sees() {
    let server = Server::start();
    let tutor = server.create_tutor("049").await;
    let path = format!("/v1/tutors/{tutor}");
    let draft = |host: &str| {
        let mut event = fixtures::event_body(host, "draft");
        event["tutors"] = json!([tutor]);
        event
    };
    let own = server.coordinator().post("/v1/events", &draft("049")).await.expect(201).body["id"].clone();
    server.coordinator().post("/v1/events", &draft("091")).await.expect(201);
    let account = json!({"role": "tutor", "municipality_code": "049", "tutor_id": tutor});
    fixtures::insert_account(&server, "tutor@kunta.example", account).await;
    let partner = |scopes: &str| server.partner("espoo", scopes, Some("049"));
    for (caller, events) in [
        (server.municipality("049"), json!([own])),
        (partner("tutors:write tutors:read events:read"), json!([own])),
        (partner("tutors:write tutors:read"), json!([])),
    ] {
        let references = refused(&caller, &path).await;
        let told: Vec<_> = references.iter().map(|of| (&of["collection"], &of["count"], &of["keys"])).collect();
        let count = json!(events.as_array().unwrap().len());
        assert_eq!(told, [(&json!("events"), &count, &events), (&json!("accounts"), &json!(0), &json!([]))]);
    }
    assert_eq!(refused(&server.coordinator(), &path).await[0]["count"], 2);
}

#[tokio::test]
async fn no_count_reveals_feedback_of_others() {
    let server = Server::start();
    let event = server.create_event("049").await;
    server.create_feedback(&event, "616").await;
    let path = format!("/v1/events/{event}");
    let references = refused(&server.municipality("049"), &path).await;
    assert_eq!(
        (&references[0]["collection"], &references[0]["count"], &references[0]["keys"]),
        (&json!("feedback"), &json!(0), &json!([]))
    );
    let giver = server.partner("giver", "events:read events:write feedback:read feedback:write", Some("049"));
    let feedback = json!({
        "event_id": event, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 5, "respondent": "1"
    });
    let given = giver.post("/v1/feedback", &feedback).await.expect(201).body["id"].clone();
    let references = refused(&giver, &path).await;
    assert_eq!((&references[0]["count"], &references[0]["keys"]), (&json!(1), &json!([given])));
}
