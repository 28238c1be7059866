//! The answers of each operation, and the rules of its input.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{change, espoo_account, invite};
use crate::support::{Server, client::stable, fixtures};

#[tokio::test]
async fn inviting_a_person_creates_an_account_and_an_invitation() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut invited = coordinator.post("/v1/accounts", &espoo_account()).await.expect(201);
    let id = invited.body["id"].as_str().unwrap().to_owned();
    assert_eq!(invited.header("location"), format!("{}/v1/accounts/{id}", server.url));
    assert!(invited.header("cache-control").contains("no-store"));
    let invitation = invited.body.as_object_mut().unwrap().remove("invitation").unwrap();
    assert_eq!(invitation["secret"].as_str().unwrap().len(), 43);
    let until = chrono::DateTime::parse_from_rfc3339(invitation["expires_at"].as_str().unwrap()).unwrap();
    let days = (until.to_utc() - chrono::Utc::now()).as_seconds_f64() / 86_400.0;
    assert!((6.99..7.01).contains(&days), "{days} days");

    let answer = coordinator.get(&format!("/v1/accounts/{id}")).await.expect(200);
    assert_eq!(answer.body, invited.body);
    assert_eq!(
        stable(&answer.body),
        json!({
            "id": "uuid", "email": "digituki@espoo.example", "role": "municipality", "municipality_code": "049",
            "tutor_id": null, "disabled": false, "has_password": false, "version": "version", "created_at": "time",
            "updated_at": "time"
        })
    );
    coordinator.get("/v1/accounts/019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e").await.expect_problem(404, "not_found");
    coordinator.get("/v1/accounts/espoo").await.expect_problem(404, "not_found");
    coordinator.delete(&format!("/v1/accounts/{id}")).await.expect_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn an_account_can_be_sent_back_with_changes() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let invited = coordinator.post("/v1/accounts", &espoo_account()).await.expect(201);
    let path = format!("/v1/accounts/{}", invited.body["id"].as_str().unwrap());
    let mut changed = invited.body.clone();
    changed["email"] = json!(" Digituki@Vantaa.Example ");
    changed["municipality_code"] = json!("092");
    let writer = coordinator.if_match(&invited.etag());
    let replaced = writer.put(&path, &changed).await.expect(200);
    assert_eq!(replaced.body["email"], "digituki@vantaa.example");
    assert_eq!(replaced.body["municipality_code"], "092");
    assert_eq!(coordinator.get(&path).await.body, replaced.body);
    writer.put(&path, &changed).await.expect_problem(412, "precondition_failed");
    writer.patch(&path, &json!({"disabled": true})).await.expect_problem(412, "precondition_failed");
    coordinator.put(&path, &changed).await.expect_problem(428, "precondition_required");
    coordinator.patch(&path, &json!({})).await.expect_problem(428, "precondition_required");
    let known = coordinator.with("if-none-match", &replaced.etag());
    known.get(&path).await.expect(304);
    let patched = change(&server, &path, &json!({"role": "coordinator", "municipality_code": null})).await.expect(200);
    assert_eq!((&patched.body["role"], &patched.body["municipality_code"]), (&json!("coordinator"), &Value::Null));
}

#[tokio::test]
async fn filters_narrow_the_list_and_pages_contain_every_row_once() {
    let server = Server::start();
    let tutor = fixtures::insert_tutor(&server, "092").await;
    for (email, fields) in [
        ("a@kunta.example", json!({})),
        ("b@kunta.example", json!({"municipality_code": "092"})),
        ("c@kunta.example", json!({"role": "tutor", "municipality_code": "092", "tutor_id": tutor})),
        ("d@kunta.example", json!({"role": "coordinator", "municipality_code": null})),
        ("e@kunta.example", json!({"disabled": true})),
    ] {
        fixtures::insert_account(&server, email, fields).await;
    }
    let coordinator = server.coordinator();
    for (query, names) in [
        ("limit=2", "a b c d e"),
        ("role=municipality&limit=1", "a b e"),
        ("role=tutor&role=coordinator", "c d"),
        ("municipality=092", "b c"),
        ("municipality=092&role=tutor", "c"),
        ("disabled=true", "e"),
        ("disabled=false&municipality=049", "a"),
        ("email=B@Kunta.Example", "b"),
        ("email=a@kunta.example&email=d@kunta.example", "a d"),
        ("email=nobody@kunta.example", ""),
    ] {
        let found = coordinator.all(&format!("/v1/accounts?{query}")).await;
        let found: Vec<_> = found.iter().map(|account| &account["email"].as_str().unwrap()[..1]).collect();
        assert_eq!(found.join(" "), names, "{query}");
    }
    coordinator.get("/v1/accounts?role=partner").await.expect_violations(&[("?role", "invalid_value")]);
    coordinator.get("/v1/accounts?disabled=maybe").await.expect_violations(&[("?disabled", "invalid_value")]);
    coordinator.get("/v1/accounts?q=a").await.expect_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let broken =
        json!({"email": "digituki", "role": "municipality", "municipality_code": "49", "tutor_id": null, "mayor": 1});
    coordinator.post("/v1/accounts", &broken).await.expect_violations(&[
        ("/email", "invalid_email"),
        ("/municipality_code", "invalid_code"),
        ("/mayor", "unknown_field"),
    ]);
    let tutor = fixtures::insert_tutor(&server, "049").await;
    for (role, municipality, tutor) in [
        ("coordinator", json!("049"), Value::Null),
        ("coordinator", Value::Null, json!(tutor)),
        ("municipality", Value::Null, Value::Null),
        ("municipality", json!("049"), json!(tutor)),
        ("tutor", json!("049"), Value::Null),
        ("tutor", Value::Null, json!(tutor)),
    ] {
        let new =
            json!({"email": "x@kunta.example", "role": role, "municipality_code": municipality, "tutor_id": tutor});
        coordinator.post("/v1/accounts", &new).await.expect_violations(&[("/role", "accounts_role_binding")]);
    }
    for (fields, at, code) in [
        (json!({"role": "partner"}), "/role", "wrong_type"),
        (json!({"disabled": true}), "/disabled", "invalid_value"),
        (json!({"email": "ä@kunta.example"}), "/email", "invalid_email"),
        (json!({"municipality_code": "999"}), "/municipality_code", "accounts_municipality_code_exists"),
        (json!({"role": "tutor", "tutor_id": "049"}), "/tutor_id", "wrong_type"),
        (
            json!({"role": "tutor", "tutor_id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"}),
            "/tutor_id",
            "accounts_tutor_id_exists",
        ),
        (
            json!({"role": "tutor", "tutor_id": tutor, "municipality_code": "092"}),
            "/tutor_id",
            "accounts_tutor_of_municipality",
        ),
    ] {
        let mut new = espoo_account();
        json_patch::merge(&mut new, &fields);
        coordinator.post("/v1/accounts", &new).await.expect_violations(&[(at, code)]);
    }
    coordinator
        .post("/v1/accounts", &json!({"role": "coordinator"}))
        .await
        .expect_violations(&[("/email", "required")]);
    assert!(coordinator.all("/v1/accounts").await.is_empty());
}

#[tokio::test]
async fn one_of_fifty_accounts_with_the_same_address_is_created() {
    let server = Server::with(&[("POOL_SIZE", "10")]);
    let coordinator = server.coordinator();
    let new = espoo_account();
    let answers = join_all((0..50).map(|_| coordinator.post("/v1/accounts", &new))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409 | 503)));
    assert!(answers.iter().any(|answer| answer.status == 409));
    assert_eq!(coordinator.all("/v1/accounts").await.len(), 1);
    let mut upper = espoo_account();
    upper["email"] = json!("DIGITUKI@ESPOO.EXAMPLE");
    coordinator.post("/v1/accounts", &upper).await.expect_problem(409, "accounts_email_unique");
    let (other, _) = invite(&server, &json!({"email": "b@kunta.example", "role": "coordinator"})).await;
    change(&server, &other, &json!({"email": "digituki@espoo.example"}))
        .await
        .expect_problem(409, "accounts_email_unique");
}

#[tokio::test]
async fn an_account_moves_to_another_municipality_together_with_its_tutor() {
    let server = Server::start();
    let tutor = server.create_tutor("049").await;
    let new = json!({"email": "t@kunta.example", "role": "tutor", "municipality_code": "049", "tutor_id": tutor});
    let (path, _) = invite(&server, &new).await;
    change(&server, &path, &json!({"municipality_code": "092"}))
        .await
        .expect_violations(&[("/tutor_id", "accounts_tutor_of_municipality")]);
    change(&server, &format!("/v1/tutors/{tutor}"), &json!({"municipality_code": "092"})).await.expect(200);
    assert_eq!(server.coordinator().get(&path).await.body["municipality_code"], "092");
}

#[tokio::test]
async fn only_the_coordinator_reads_and_writes_accounts() {
    let server = Server::start();
    let (path, _) = invite(&server, &espoo_account()).await;
    for other in [server.municipality("049"), server.tutor("049", "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")] {
        other.get("/v1/accounts").await.expect_problem(403, "missing_scope");
        other.get(&path).await.expect_problem(403, "missing_scope");
        other.post("/v1/accounts", &espoo_account()).await.expect_problem(403, "missing_scope");
        other.post(&format!("{path}/invitation"), &Value::Null).await.expect_problem(403, "missing_scope");
    }
    // A token with more scopes than its role can hold gives no access.
    let partner = server.partner("espoo", "accounts:read accounts:write", None);
    assert_eq!(partner.get("/v1/accounts").await.expect(200).body, json!({"items": [], "next": null}));
    partner.get(&path).await.expect(404);
    partner.post(&format!("{path}/invitation"), &Value::Null).await.expect(404);
    partner.post("/v1/accounts", &espoo_account()).await.expect_problem(403, "out_of_reach");
    server.anonymous().get("/v1/accounts").await.expect_problem(401, "unauthenticated");
    let open = Server::with(&[("PUBLIC_READ", "true")]);
    open.anonymous().get("/v1/accounts").await.expect_problem(401, "unauthenticated");
}
