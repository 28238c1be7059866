//! Clients: the coordinator creates, changes and revokes partner systems.

use std::time::Instant;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, assert_shut_out, stable},
};

fn calendar() -> Value {
    json!({
        "name": "Espoon tapahtumakalenteri", "source": "espoo-calendar", "scopes": ["events:read", "events:write"],
        "municipality_code": "049", "disabled": false
    })
}

/// Creates the client, and returns its path and its secret.
async fn create_client(server: &Server) -> (String, String) {
    let created = server.coordinator().post("/v1/clients", &calendar()).await.expect(201);
    let path = format!("/v1/clients/{}", created.body["id"].as_str().unwrap());
    (path, created.body["client_secret"].as_str().unwrap().to_owned())
}

async fn token(server: &Server, path: &str, secret: &str) -> Answer {
    let id = path.rsplit('/').next().unwrap();
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let anonymous = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    anonymous.send(Method::POST, "/v1/auth/token", Some(body)).await
}

async fn change(server: &Server, path: &str, fields: &Value) -> Answer {
    let coordinator = server.coordinator();
    coordinator.if_match(&coordinator.get(path).await.expect(200).etag()).patch(path, fields).await
}

#[tokio::test]
async fn the_secret_of_a_new_client_is_shown_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut created = coordinator.post("/v1/clients", &calendar()).await.expect(201);
    let path = format!("/v1/clients/{}", created.body["id"].as_str().unwrap());
    assert_eq!(created.header("location"), format!("{}{path}", server.url));
    assert!(created.header("cache-control").contains("no-store"));
    let secret = created.body.as_object_mut().unwrap().remove("client_secret").unwrap();
    let answer = coordinator.get(&path).await.expect(200);
    assert_eq!((&answer.body, answer.etag()), (&created.body, created.etag()));
    let mut expected = calendar();
    for (field, value) in [("id", "uuid"), ("version", "version"), ("created_at", "time"), ("updated_at", "time")]
        .map(|(f, v)| (f, json!(v)))
    {
        expected[field] = value;
    }
    let mut told = stable(&answer.body);
    let secrets = told.as_object_mut().unwrap().remove("secrets").unwrap();
    assert_eq!(told, expected);
    assert_eq!(secrets.as_array().unwrap().len(), 1);
    assert_eq!(stable(&secrets[0]), json!({"id": "uuid", "created_at": "time"}));
    let granted = token(&server, &path, secret.as_str().unwrap()).await;
    assert_eq!((granted.status, &granted.body["scope"]), (200, &json!("events:read events:write")));
    assert_eq!(granted.body["refresh_token"], Value::Null);
    coordinator.post("/v1/clients", &calendar()).await.expect_problem(409, "clients_source_unique");
    coordinator.get("/v1/clients/019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e").await.expect_problem(404, "not_found");
    coordinator.delete(&path).await.expect_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn filters_narrow_the_list_and_pages_contain_every_row_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for (source, municipality, disabled) in
        [("a", json!("049"), false), ("b", json!("092"), true), ("c", Value::Null, false), ("d", json!("092"), false)]
    {
        let mut new = calendar();
        (new["source"], new["municipality_code"], new["disabled"]) = (json!(source), municipality, json!(disabled));
        coordinator.post("/v1/clients", &new).await.expect(201);
    }
    for (query, sources) in [
        ("limit=1", "a b c d"),
        ("limit=3", "a b c d"),
        ("source=c", "c"),
        ("source=a&source=d", "a d"),
        ("municipality=092", "b d"),
        ("municipality=092&disabled=false", "d"),
        ("disabled=true", "b"),
    ] {
        let found = coordinator.all(&format!("/v1/clients?{query}")).await;
        assert!(found.iter().all(|client| client["secrets"].as_array().unwrap().len() == 1));
        let found: Vec<_> = found.iter().map(|client| client["source"].as_str().unwrap()).collect();
        assert_eq!(found.join(" "), sources, "{query}");
    }
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let broken = json!({
        "name": " ", "source": "Espoo", "municipality_code": "49", "owner": "Espoo",
        "scopes": ["events:read", "events:delete", "accounts:write", "themes:write", "events:read"]
    });
    coordinator.post("/v1/clients", &broken).await.expect_violations(&[
        ("/name", "blank"),
        ("/source", "clients_source_format"),
        ("/municipality_code", "invalid_code"),
        ("/owner", "unknown_field"),
        ("/scopes", "duplicate"),
        ("/scopes/1", "unknown_scope"),
        ("/scopes/2", "unknown_scope"),
        ("/scopes/3", "unknown_scope"),
    ]);
    for (field, value, at, code) in [
        ("scopes", json!([]), "/scopes", "too_short"),
        ("name", json!("x".repeat(201)), "/name", "too_long"),
        ("source", json!("kuntatutorit"), "/source", "clients_source_format"),
        ("source", json!("x".repeat(51)), "/source", "clients_source_format"),
        ("source", json!("a--b"), "/source", "clients_source_format"),
        ("municipality_code", json!("999"), "/municipality_code", "clients_municipality_code_exists"),
    ] {
        let mut new = calendar();
        new[field] = value;
        coordinator.post("/v1/clients", &new).await.expect_violations(&[(at, code)]);
    }
    let (path, _) = create_client(&server).await;
    change(&server, &path, &json!({"source": "espoo"})).await.expect_violations(&[("/source", "fixed")]);
    change(&server, &path, &json!({"scopes": ["root"]})).await.expect_violations(&[("/scopes/0", "unknown_scope")]);
}

#[tokio::test]
async fn two_secrets_can_be_valid_at_once_for_a_rotation() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let (path, first) = create_client(&server).await;
    let before = coordinator.get(&path).await;
    let secrets = format!("{path}/secrets");
    let second = coordinator.post(&secrets, &Value::Null).await.expect(201);
    assert_eq!(second.header("cache-control"), "no-store");
    let (id, second) = (second.body["id"].clone(), second.body["client_secret"].as_str().unwrap().to_owned());
    coordinator.post(&secrets, &Value::Null).await.expect_problem(409, "client_secrets_at_most_two");
    for secret in [&first, &second] {
        assert_eq!(token(&server, &path, secret).await.status, 200);
    }
    let both = coordinator.get(&path).await;
    assert_eq!(both.body["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(both.body["secrets"][1]["id"], id);
    assert_ne!(both.etag(), before.etag(), "the secrets are part of the client");
    assert!(!both.text.contains(&first) && !both.text.contains(&second));

    let oldest = format!("{secrets}/{}", both.body["secrets"][0]["id"].as_str().unwrap());
    coordinator.delete(&oldest).await.expect(204);
    coordinator.delete(&oldest).await.expect_problem(404, "not_found");
    assert_eq!((token(&server, &path, &first).await.status, token(&server, &path, &second).await.status), (401, 200));
    assert_ne!(coordinator.get(&path).await.etag(), both.etag());
    coordinator.post(&secrets, &Value::Null).await.expect(201);
    let elsewhere = oldest.replace(path.rsplit('/').next().unwrap(), "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e");
    coordinator.delete(&elsewhere).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn one_of_fifty_concurrent_new_secrets_is_created() {
    let server = Server::with(&[("POOL_SIZE", "10")]);
    let coordinator = server.coordinator();
    let (path, _) = create_client(&server).await;
    let secrets = format!("{path}/secrets");
    let answers = join_all((0..50).map(|_| coordinator.post(&secrets, &Value::Null))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409 | 503)));
    assert_eq!(coordinator.get(&path).await.body["secrets"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_revoked_client_is_refused_everywhere_within_two_seconds() {
    let server = Server::start();
    let second = Server::on(server.database_url.clone(), &[("PUBLIC_URL", &server.url)]);
    let (path, secret) = create_client(&server).await;
    for fields in [json!({"scopes": ["events:read"]}), json!({"municipality_code": null}), json!({"disabled": true})] {
        let granted = token(&server, &path, &secret).await.body;
        let granted = granted["access_token"].as_str().unwrap();
        let (here, there) = (server.token(granted), second.token(granted));
        change(&server, &path, &fields).await.expect(200);
        let changed = Instant::now();
        assert_shut_out(changed, [&here, &there], "/v1/events").await;
    }
    assert_eq!(token(&server, &path, &secret).await.body["error"], "invalid_client");
    change(&server, &path, &json!({"disabled": false, "name": "Kalenteri"})).await.expect(200);
    assert_eq!(token(&server, &path, &secret).await.body["scope"], "events:read");
}

#[tokio::test]
async fn only_the_coordinator_reads_and_writes_clients() {
    let server = Server::start();
    let (path, _) = create_client(&server).await;
    let espoo = server.municipality("049");
    espoo.get("/v1/clients").await.expect_problem(403, "missing_scope");
    espoo.post("/v1/clients", &calendar()).await.expect_problem(403, "missing_scope");
    espoo.post(&format!("{path}/secrets"), &Value::Null).await.expect_problem(403, "missing_scope");
    // A token with more scopes than its role can hold gives no access.
    let partner = server.partner("espoo", "clients:read clients:write", None);
    assert_eq!(partner.get("/v1/clients").await.expect(200).body, json!({"items": [], "next": null}));
    partner.get(&path).await.expect(404);
    partner.post(&format!("{path}/secrets"), &Value::Null).await.expect(404);
    partner.post("/v1/clients", &calendar()).await.expect_problem(403, "out_of_reach");
}
