//! The callers that may write a tutor.

use serde_json::json;

use super::{espoo_tutor, path};
use crate::support::{Server, client::Client};

/// Returns the statuses for creating a tutor of Espoo and for replacing, patching and deleting this one.
async fn statuses(caller: &Client, id: &str) -> [u16; 4] {
    let (path, caller) = (path(id), caller.if_match("*"));
    [
        caller.post("/v1/tutors", &espoo_tutor()).await.status,
        caller.put(&path, &espoo_tutor()).await.status,
        caller.patch(&path, &json!({"status": "paused"})).await.status,
        caller.delete(&path).await.status,
    ]
}

#[tokio::test]
async fn each_role_writes_the_tutors_within_its_reach() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let scope = "tutors:read tutors:write";
    for (who, expected) in [
        (server.coordinator(), [201, 409, 200, 204]),
        (server.municipality("049"), [201, 409, 200, 204]),
        (server.municipality("091"), [403, 403, 403, 403]),
        (server.partner("espoo-crm", scope, Some("049")), [201, 200, 200, 204]),
        (server.partner("helsinki-crm", scope, Some("091")), [403, 403, 403, 403]),
        (server.partner("region", scope, None), [201, 200, 200, 204]),
        (server.partner("reader", "tutors:read contacts:read", Some("049")), [403, 403, 403, 403]),
        (server.anonymous(), [401, 401, 401, 401]),
    ] {
        let id = server.create_tutor("049").await;
        assert_eq!(statuses(&who, &id).await, expected, "{:?}", who.token);
        // An external_id can be used once in the service's own source.
        server.execute("delete from tutors where external_id is not null").await;
    }
}

#[tokio::test]
async fn a_refusal_names_the_missing_permission() {
    let server = Server::start();
    let id = path(&server.create_tutor("049").await);
    let helsinki = server.municipality("091").if_match("*");
    let refused = helsinki.patch(&id, &json!({})).await.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("049"));
    // Only callers that may write learn whether the patch is valid, because reach is checked before the condition.
    helsinki.patch(&id, &json!({"name": null})).await.expect_problem(403, "out_of_reach");
    server.municipality("091").if_match("\"0-full\"").delete(&id).await.expect_problem(403, "out_of_reach");
    server.municipality("091").delete(&id).await.expect_problem(428, "precondition_required");
    let reader = server.partner("reader", "tutors:read", Some("049")).if_match("*");
    assert_eq!(reader.delete(&id).await.expect_problem(403, "missing_scope").body["scope"], "tutors:write");
    let writer = server.partner("writer", "tutors:write", Some("049"));
    assert_eq!(writer.get(&id).await.expect_problem(403, "missing_scope").body["scope"], "tutors:read");
}

#[tokio::test]
async fn a_caller_moves_a_tutor_only_within_its_reach() {
    let server = Server::start();
    let id = path(&server.create_tutor("049").await);
    let to = |code: &str| json!({"municipality_code": code});
    let scope = "tutors:read tutors:write";
    for bound in [server.municipality("049"), server.partner("espoo-crm", scope, Some("049"))] {
        let refused = bound.if_match("*").patch(&id, &to("091")).await.expect_problem(403, "out_of_reach");
        assert!(refused.body["detail"].as_str().unwrap().contains("091"));
    }
    server.municipality("091").if_match("*").patch(&id, &to("091")).await.expect_problem(403, "out_of_reach");
    let region = server.partner("region", scope, None).if_match("*");
    region.patch(&id, &to("091")).await.expect(200);
    server.coordinator().if_match("*").patch(&id, &to("092")).await.expect(200);
    region.patch(&id, &to("999")).await.expect_violations(&[("/municipality_code", "tutors_municipality_code_exists")]);
}

#[tokio::test]
async fn a_tutor_changes_its_own_profile_except_the_municipality() {
    let server = Server::start();
    let (own, other) = (server.create_tutor("049").await, server.create_tutor("049").await);
    let tutor = server.tutor("049", &own);
    let changed = tutor.if_match("*").put(&path(&own), &espoo_tutor()).await.expect(200);
    assert_eq!((&changed.body["name"], &changed.body["status"]), (&json!("Kuntatutor, Tapiola"), &json!("paused")));
    let away = json!({"municipality_code": "091", "visibility": "coordinator"});
    let refused = tutor.if_match("*").patch(&path(&own), &away).await.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("`municipality_code`"));
    let hidden = tutor.if_match("*").patch(&path(&own), &json!({"visibility": "coordinator"})).await.expect(200);
    assert_eq!(hidden.body["name"], "Kuntatutor, Tapiola");
    tutor.if_match("*").patch(&path(&other), &json!({})).await.expect_problem(403, "out_of_reach");
    tutor.if_match("*").put(&path(&other), &espoo_tutor()).await.expect_problem(403, "out_of_reach");
    tutor.post("/v1/tutors", &espoo_tutor()).await.expect_problem(403, "out_of_reach");
    for id in [&own, &other] {
        tutor.if_match("*").delete(&path(id)).await.expect_problem(403, "out_of_reach");
    }
}
