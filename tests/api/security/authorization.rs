//! Authorization, computed from the OpenAPI document: a new operation is covered as soon as the document has it.

use kuntatutorit::registry::SCOPES;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, operations},
    rows::{ID, Rows, missing_path},
};
use kuntatutorit::registry::COLLECTIONS;

/// Operations that work without a token. Do not add to this list without a reason.
const OPEN: &[&str] = &[
    "get_jwks",
    "get_linked_calendar",
    "get_livez",
    "get_oauth_metadata",
    "get_openapi",
    "get_problems",
    "get_readyz",
    "get_root",
    "issue_token",
    "login",
    "logout",
    "refresh",
    "set_password",
];
/// Operations that any valid token may use. Do not add to this list without a reason.
const WITHOUT_SCOPE: &[&str] = &["get_about", "get_me"];
/// Operations that create a row of the caller's own, so that no municipality owns it.
const OWN: &[&str] = &["create_calendar_link"];

async fn call(client: &Client, operation: &Operation, path: &str, body: &Value) -> Answer {
    let body = (!matches!(operation.method, Method::GET | Method::DELETE)).then(|| body.to_string());
    client.if_match("*").send(operation.method.clone(), path, body).await
}

#[test]
fn only_the_listed_operations_work_without_a_token_or_a_scope() {
    let mut open: Vec<_> = operations().iter().filter(|o| o.open).map(|o| o.id.clone()).collect();
    open.sort();
    assert_eq!(open, OPEN);
    let mut without: Vec<_> =
        operations().iter().filter(|o| !o.open && o.scopes.is_empty()).map(|o| o.id.clone()).collect();
    without.sort();
    assert_eq!(without, WITHOUT_SCOPE);
}

#[tokio::test]
async fn every_operation_without_a_token_answers_401() {
    let server = Server::start();
    for operation in operations().iter().filter(|operation| !operation.open) {
        let answer = call(&server.anonymous(), operation, &missing_path(&operation.path), &json!({})).await;
        let answer = answer.expect_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", operation.id);
    }
}

#[tokio::test]
async fn every_operation_without_its_own_scope_answers_403() {
    let server = Server::start();
    for operation in operations().iter().filter(|operation| !operation.scopes.is_empty()) {
        let others =
            SCOPES.iter().map(|scope| scope.name).filter(|name| operation.scopes.iter().all(|own| own != name));
        let client = server.partner("partner", &others.collect::<Vec<_>>().join(" "), None);
        let answer = call(&client, operation, &missing_path(&operation.path), &json!({})).await;
        assert_eq!(answer.status, 403, "{} without its scope: {}", operation.id, answer.text);
        let answer = answer.expect_problem(403, "missing_scope");
        assert_eq!(answer.body["scope"], operation.scopes[0], "{}", operation.id);
        assert!(answer.header("www-authenticate").contains(&operation.scopes[0]));
    }
}

#[tokio::test]
async fn a_caller_cannot_write_rows_of_another_municipality() {
    let server = Server::start();
    let rows = Rows::of(&server, "092").await;
    let coordinator = server.coordinator();
    // A token with the scope could write collections that belong to no municipality.
    let of_no_municipality = |scope: &str| {
        COLLECTIONS.iter().any(|collection| collection.municipality_codes.is_empty() && collection.write.name == scope)
    };
    let scopes = SCOPES.iter().map(|scope| scope.name).filter(|scope| !of_no_municipality(scope));
    let scope = scopes.collect::<Vec<_>>().join(" ");
    for operation in operations() {
        let own = OWN.contains(&operation.id.as_str());
        if own || operation.open || operation.scopes.is_empty() || operation.method == Method::GET {
            continue;
        }
        let (collection, key, body) = rows.row(&operation.path);
        let path = rows.path(&operation.path);
        let is_order = operation.method == Method::POST && operation.path.contains('{') && operation.body.is_some();
        let order = rows.example(&operation);
        let sent = match operation.method {
            Method::PATCH => &json!({}),
            _ if is_order => &order,
            _ => body,
        };
        for stranger in
            [server.municipality("049"), server.tutor("049", ID), server.partner("espoo-calendar", &scope, Some("049"))]
        {
            let answer = call(&stranger, &operation, &path, sent).await;
            assert!(matches!(answer.status, 403 | 404), "{} answered {}", operation.id, answer.text);
        }
        if operation.method != Method::POST {
            let after = coordinator.get(&format!("{collection}/{key}")).await.expect(200).body;
            assert_eq!(after, *body, "{} changed the row", operation.id);
        }
    }
}

/// A caller that acts for one municipality does not give its rows to another one, which it could not take back.
#[tokio::test]
async fn a_caller_cannot_move_its_row_to_another_municipality() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let all = SCOPES.iter().map(|scope| scope.name).collect::<Vec<_>>().join(" ");
    let mut moves = 0;
    for operation in operations().iter().filter(|operation| operation.method == Method::PATCH) {
        let (collection, _, row) = rows.row(&operation.path);
        let of = COLLECTIONS.iter().find(|of| of.path() == collection).unwrap();
        for column in of.municipality_codes.iter().filter(|column| **column != of.key && row[**column].is_string()) {
            let path = rows.path(&operation.path);
            for caller in [server.municipality("049"), server.partner("rows", &all, Some("049"))] {
                let answer = call(&caller, operation, &path, &json!({*column: "092"})).await;
                assert!(
                    matches!(answer.status, 403 | 404 | 422),
                    "{} with another {column} answered {}",
                    operation.id,
                    answer.text
                );
                let after = server.coordinator().get(&path).await.expect(200).body;
                assert_eq!(after[*column], row[*column], "{} moved the row", operation.id);
                moves += 1;
            }
        }
    }
    assert!(moves > 4, "only {moves} moves");
}
