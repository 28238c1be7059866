//! Secret links, for calendar programs that send no token.

use icalendar::Component as _;
use serde_json::{Value, json};

use super::{events, insert_vantaa_event, server_without_events, summaries};
use crate::support::{
    Server,
    client::{Client, stable},
    fixtures,
};

const PATH: &str = "/v1/calendar-links";

/// Creates a link, and returns its path and the path of its calendar.
async fn create_link(owner: &Client, fields: Value) -> (String, String) {
    let mut new = json!({"name": "Puhelin"});
    json_patch::merge(&mut new, &fields);
    let made = owner.post(PATH, &new).await.expect(201);
    let address = made.body["url"].as_str().unwrap();
    let calendar = &address[address.find("/calendar/").unwrap()..];
    (format!("{PATH}/{}", made.body["id"].as_str().unwrap()), calendar.to_owned())
}

#[tokio::test]
async fn the_address_is_shown_once_and_needs_no_token() {
    let server = server_without_events().await;
    insert_vantaa_event(&server, "Yksi", json!({})).await;
    let espoo = server.sign_in_new_account("espoo@kunta.example", json!({})).await;
    let new = json!({"name": "Puhelimen kalenteri", "municipality_code": "092", "lang": "sv"});
    let mut made = espoo.post(PATH, &new).await.expect(201);
    let address = made.body.as_object_mut().unwrap().remove("url").unwrap();
    let calendar = address.as_str().unwrap().strip_prefix(&server.url).unwrap();
    assert_eq!(calendar.len(), "/calendar/.ics".len() + 43);
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.header("location"), format!("{}{path}", server.url));
    let answer = espoo.get(&path).await.expect(200);
    assert_eq!((&answer.body, answer.etag()), (&made.body, made.etag()));
    let mut expected = new;
    for (field, value) in [("id", "uuid"), ("version", "version"), ("created_at", "time"), ("updated_at", "time")] {
        expected[field] = json!(value);
    }
    assert_eq!(stable(&answer.body), expected);
    assert_eq!(espoo.get(PATH).await.expect(200).body, json!({"items": [made.body], "next": null}));
    let answer = server.anonymous().get(calendar).await.expect(200);
    assert!(answer.text.contains("NAME:Kuntatutorit: Vanda\r\n"), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    server.anonymous().with("if-none-match", &answer.etag()).get(calendar).await.expect(304);
    let head = server.anonymous().send(reqwest::Method::HEAD, calendar, None).await.expect(200);
    assert_eq!(head.etag(), answer.etag());
}

#[tokio::test]
async fn an_unknown_link_answers_404() {
    let server = Server::start();
    for calendar in
        ["/calendar/x.ics", "/calendar/%00.ics", &format!("/calendar/{}.ics", "A".repeat(43)), "/calendar/.ics"]
    {
        server.anonymous().get(calendar).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_link_shows_what_its_owner_may_see_at_the_moment() {
    let server = server_without_events().await;
    insert_vantaa_event(&server, "Sparraus", json!({"audience": ["049"], "online_url": "https://etatuki.example/1"}))
        .await;
    let sees = async |calendar: &str| events(&server.anonymous(), calendar).await[0].get_url().is_some();
    let id = fixtures::insert_account(&server, "espoo@kunta.example", json!({})).await;
    let login = json!({"email": "espoo@kunta.example", "password": fixtures::PASSWORD});
    let token = server.anonymous().post("/v1/auth/login", &login).await.expect(200).body["access_token"].clone();
    let (_, espoo) = create_link(&server.token(token.as_str().unwrap()), json!({})).await;
    let porvoo = server.sign_in_new_account("porvoo@kunta.example", json!({"municipality_code": "638"})).await;
    let (_, porvoo) = create_link(&porvoo, json!({})).await;
    assert!(sees(&espoo).await);
    assert!(!sees(&porvoo).await);
    let coordinator = server.coordinator().if_match("*");
    coordinator.patch(&format!("/v1/accounts/{id}"), &json!({"municipality_code": "638"})).await.expect(200);
    assert!(!sees(&espoo).await, "the account now belongs to another municipality");
    coordinator.patch(&format!("/v1/accounts/{id}"), &json!({"disabled": true})).await.expect(200);
    server.anonymous().get(&espoo).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_link_of_a_partner_system_needs_its_scope_and_an_enabled_client() {
    let server = server_without_events().await;
    insert_vantaa_event(&server, "Yksi", json!({})).await;
    let coordinator = server.coordinator();
    let client = json!({
        "name": "Kalenteri", "source": "vantaa", "scopes": ["events:read", "calendar-links:write", "calendar-links:read"],
        "municipality_code": "092"
    });
    let client = coordinator.post("/v1/clients", &client).await.expect(201).body;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client["id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap()
    );
    let anonymous = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    let token = anonymous.send(reqwest::Method::POST, "/v1/auth/token", Some(form)).await;
    let (path, calendar) = create_link(&server.token(token.body["access_token"].as_str().unwrap()), json!({})).await;
    assert_eq!(summaries(&events(&server.anonymous(), &calendar).await), ["Yksi"]);
    let client = format!("/v1/clients/{}", client["id"].as_str().unwrap());
    for (patch, status) in [
        (json!({"scopes": ["tutors:read"]}), 404),
        (json!({"scopes": ["events:read"]}), 200),
        (json!({"disabled": true}), 404),
    ] {
        coordinator.if_match("*").patch(&client, &patch).await.expect(200);
        server.anonymous().get(&calendar).await.expect(status);
    }
    coordinator.get(&path).await.expect(200);
}

#[tokio::test]
async fn a_revoked_link_answers_404() {
    let server = Server::start();
    let espoo = server.sign_in_new_account("espoo@kunta.example", json!({})).await;
    let (first, calendar) = create_link(&espoo, json!({})).await;
    let (_, other) = create_link(&espoo, json!({})).await;
    espoo.delete(&first).await.expect_problem(428, "precondition_required");
    espoo.if_match("\"1-full\"").delete(&first).await.expect_problem(412, "precondition_failed");
    let etag = espoo.get(&first).await.etag();
    espoo.if_match(&etag).delete(&first).await.expect(204);
    server.anonymous().get(&calendar).await.expect_problem(404, "not_found");
    espoo.get(&first).await.expect_problem(404, "not_found");
    server.anonymous().get(&other).await.expect(200);
}

#[tokio::test]
async fn only_the_owner_sees_a_link_and_the_coordinator_can_revoke_any() {
    let server = Server::start();
    let espoo = server.sign_in_new_account("espoo@kunta.example", json!({})).await;
    let colleague = server.sign_in_new_account("toinen@kunta.example", json!({})).await;
    let (path, calendar) = create_link(&espoo, json!({"municipality_code": "049"})).await;
    create_link(&espoo, json!({"municipality_code": "092"})).await;
    colleague.get(&path).await.expect_problem(404, "not_found");
    colleague.if_match("*").delete(&path).await.expect_problem(404, "not_found");
    assert_eq!(colleague.get(PATH).await.expect(200).body["items"], json!([]));
    assert_eq!(espoo.all(&format!("{PATH}?limit=1")).await.len(), 2);
    assert_eq!(espoo.all(&format!("{PATH}?municipality=092")).await.len(), 1);
    let coordinator = server.coordinator();
    assert_eq!(coordinator.all(PATH).await.len(), 2);
    coordinator.if_match("*").delete(&path).await.expect(204);
    server.anonymous().get(&calendar).await.expect(404);
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let espoo = server.sign_in_new_account("espoo@kunta.example", json!({})).await;
    espoo
        .post(PATH, &json!({"name": " ", "municipality_code": "49"}))
        .await
        .expect_violations(&[("/name", "blank"), ("/municipality_code", "invalid_code")]);
    let unknown = json!({"name": "Puhelin", "municipality_code": "999"});
    espoo
        .post(PATH, &unknown)
        .await
        .expect_violations(&[("/municipality_code", "calendar_links_municipality_code_exists")]);
    espoo.post(PATH, &json!({"name": "Puhelin", "lang": "de"})).await.expect_violations(&[("/lang", "wrong_type")]);
    let nobody = server.municipality("049").post(PATH, &json!({"name": "Puhelin"})).await;
    nobody.expect_violations(&[("", "calendar_links_account_id_exists")]);
}

#[tokio::test]
async fn parameters_that_calendar_programs_add_are_ignored() {
    let server = server_without_events().await;
    let espoo = server.sign_in_new_account("espoo@kunta.example", json!({})).await;
    let (_, calendar) = create_link(&espoo, json!({})).await;
    let anonymous = server.anonymous();
    let plain = anonymous.get(&calendar).await.expect(200);
    for query in ["nocache=1", "lang=sv", "&", "=", "a=%ff", "a=1&a=2&b", &"a&".repeat(1000)] {
        let answer = anonymous.get(&format!("{calendar}?{query}")).await.expect(200);
        assert_eq!(answer.text, plain.text, "{query}");
    }
    anonymous.get(&format!("{calendar}?{}", "a".repeat(17_000))).await.expect_problem(414, "uri_too_long");
    // Only the address of a link is handed to programs that add parameters of their own.
    for path in ["/v1/events.ics", "/v1/municipalities/049/events.ics"] {
        espoo.get(&format!("{path}?nocache=1")).await.expect_problem(400, "unknown_parameter");
    }
}
