//! `include`: the related resources in answers about events, as the caller may see them, and their effect on ETags.

use serde_json::{Value, json};

use crate::support::{Server, client::Client, fixtures};

const PATH: &str = "/v1/events";

/// Inserts an event of Vantaa with two tutors and two themes, and returns its path and the tutors' ids.
async fn scene(server: &Server) -> (String, [String; 2]) {
    let open = server.create_tutor_with("092", &json!({"visibility": "public"})).await;
    let hidden = server.create_tutor_with("092", &json!({"visibility": "coordinator"})).await;
    fixtures::insert_themes(server, &["email", "applications"]).await;
    let columns = json!({
        "host_municipality_code": "092", "tutors": [open, hidden], "themes": ["applications", "email"]
    });
    (format!("{PATH}/{}", fixtures::insert_event(server, columns).await), [open, hidden])
}

fn keys(included: &Value) -> Vec<&str> {
    included.as_object().unwrap_or_else(|| panic!("{included}")).keys().map(String::as_str).collect()
}

async fn get(client: &Client, path: &str, include: &str) -> Value {
    client.get(&format!("{path}?include={include}")).await.expect(200).body
}

#[tokio::test]
async fn an_event_includes_the_requested_resources() {
    let server = Server::start();
    let (path, [open, hidden]) = scene(&server).await;
    let espoo = server.municipality("049");
    let plain = espoo.get(&path).await.expect(200).body;
    assert!(plain.get("included").is_none());
    let mut all = get(&espoo, &path, "tutors,themes,host").await;
    let included = all.as_object_mut().unwrap().remove("included").unwrap();
    assert_eq!(all, plain);
    assert_eq!(keys(&included), ["municipalities", "themes", "tutors"]);
    assert_eq!(keys(&included["municipalities"]), ["092"]);
    assert_eq!(keys(&included["themes"]), ["applications", "email"]);
    assert_eq!(included["tutors"].as_object().unwrap().len(), 2);
    for (collection, key) in [("tutors", &*open), ("tutors", &*hidden), ("themes", "email"), ("municipalities", "092")]
    {
        let alone = espoo.get(&format!("/v1/{collection}/{key}")).await.expect(200).body;
        assert_eq!(included[collection][key], alone, "{collection}/{key}");
    }
    assert_eq!(keys(&get(&espoo, &path, "host").await["included"]), ["municipalities"]);
    let of_network = fixtures::insert_event(&server, json!({"host_municipality_code": null})).await;
    let nothing = get(&espoo, &format!("{PATH}/{of_network}"), "host,tutors").await;
    assert_eq!(nothing["included"], json!({"municipalities": {}, "tutors": {}}));
}

#[tokio::test]
async fn a_list_includes_each_resource_once() {
    let server = Server::start();
    let (_, [open, hidden]) = scene(&server).await;
    for _ in 0..3 {
        let columns = json!({"host_municipality_code": "092", "tutors": [open, hidden], "themes": ["email"]});
        fixtures::insert_event(&server, columns).await;
    }
    let espoo = server.municipality("049");
    let path = format!("{PATH}?tutor={open}&include=tutors,host&include=themes");
    let page = espoo.get(&format!("{path}&limit=2")).await.expect(200);
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    let included = &page.body["included"];
    assert_eq!(keys(&included["municipalities"]), ["092"]);
    assert_eq!(included["tutors"].as_object().unwrap().len(), 2);
    // `include` selects no rows, so a cursor works with and without it.
    let next = page.body["next"].as_str().unwrap();
    let rest = espoo.get(&format!("{PATH}?tutor={open}&limit=2&cursor={next}")).await.expect(200);
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 2);
    assert!(rest.body.get("included").is_none());
    let empty = espoo.get(&format!("{PATH}?municipality=999&include=themes")).await.expect(200);
    assert_eq!(empty.body["included"], json!({"themes": {}}));
}

#[tokio::test]
async fn included_tutors_show_the_same_names_and_contacts_as_the_tutors_themselves() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let (path, [open, hidden]) = scene(&server).await;
    let name = |event: &Value, tutor: &str| event["included"]["tutors"][tutor]["name"].clone();
    let anonymous = get(&server.anonymous(), &path, "tutors").await;
    assert_eq!((name(&anonymous, &open), name(&anonymous, &hidden)), (json!("Kuntatutor"), Value::Null));
    assert_eq!(name(&get(&server.municipality("092"), &path, "tutors").await, &hidden), "Kuntatutor");
    assert_eq!(name(&get(&server.coordinator(), &path, "tutors").await, &hidden), "Kuntatutor");
    // The permission to write events shows no hidden names of tutors.
    let calendar = server.partner("calendar", "events:read events:write tutors:read", Some("092"));
    assert_eq!(name(&get(&calendar, &path, "tutors").await, &hidden), Value::Null);
    let without = server.partner("calendar", "events:read themes:read", None);
    get(&without, &path, "themes").await;
    for path in [&path, PATH] {
        let refused = without.get(&format!("{path}?include=themes,tutors")).await;
        assert_eq!(refused.expect_problem(403, "missing_scope").body["scope"], "tutors:read");
    }
}

#[tokio::test]
async fn a_draft_stays_hidden() {
    let server = Server::start();
    let draft = fixtures::insert_event(&server, json!({"status": "draft"})).await;
    server.municipality("049").get(&format!("{PATH}/{draft}?include=host")).await.expect_problem(404, "not_found");
    get(&server.municipality("091"), &format!("{PATH}/{draft}"), "host").await;
}

#[tokio::test]
async fn an_unknown_include_is_named() {
    let server = Server::start();
    let (path, _) = scene(&server).await;
    let espoo = server.municipality("049");
    for include in ["feedback", "tutors,", "", "Tutors", "tutors themes", "tutors,host,contact"] {
        for path in [&path, PATH] {
            let refused = espoo.get(&format!("{path}?include={include}")).await;
            let refused = refused.expect_problem(400, "unknown_include");
            assert!(refused.body["detail"].as_str().unwrap().contains("tutors, themes, host"), "{}", refused.text);
        }
    }
    espoo.get("/v1/themes?include=host").await.expect_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn the_etag_covers_the_included_resources() {
    let server = Server::start();
    let (path, [open, _]) = scene(&server).await;
    let coordinator = server.coordinator();
    let with = |include: &str| format!("{path}?include={include}");
    let plain = coordinator.get(&path).await.etag();
    let tutors = coordinator.get(&with("tutors")).await.etag();
    assert_ne!(plain, tutors);
    assert_ne!(coordinator.get(&with("themes")).await.etag(), tutors);
    coordinator.with("if-none-match", &tutors).get(&with("tutors")).await.expect(304);
    coordinator.with("if-none-match", &tutors).get(&path).await.expect(200);
    coordinator.with("if-none-match", &plain).get(&with("tutors")).await.expect(200);
    let tutor = format!("/v1/tutors/{open}");
    coordinator.if_match("*").patch(&tutor, &json!({"name": "Toinen"})).await.expect(200);
    assert_eq!(coordinator.get(&path).await.etag(), plain);
    let changed = coordinator.with("if-none-match", &tutors).get(&with("tutors")).await.expect(200);
    // A write compares the version of the event alone, and the body of a GET can be sent back.
    let mut body = changed.body.clone();
    body["capacity"] = json!(7);
    let after = coordinator.if_match(&changed.etag()).put(&path, &body).await.expect(200);
    assert_ne!(after.etag(), plain);
    coordinator.if_match(&changed.etag()).put(&path, &changed.body).await.expect_problem(412, "precondition_failed");
    coordinator.if_match(&format!("W/{}", after.etag())).patch(&path, &json!({})).await.expect(412);
}
