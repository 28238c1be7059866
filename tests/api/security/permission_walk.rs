//! Every operation, as each kind of caller, on a row of the caller's municipality, of another one, and on a missing row.
//! The expected status follows from the document's scopes, the table of scopes, the registry and the rules below.
//!
//! A write carries a stale `If-Match`: a caller who may write gets 412, and no row changes.

use kuntatutorit::{auth::scopes, domain::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    callers::Caller,
    document::{Operation, operations},
    rows::{ONLY_FOR_THE_COORDINATOR, ONLY_OWN_ROW_OF_A_TUTOR, Rows, missing_path},
};
use kuntatutorit::registry;
use kuntatutorit::registry::{COLLECTIONS, Collection};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Row {
    OfOwnMunicipality,
    OfAnother,
    Missing,
}

/// Returns whether a caller with the right scope may write this row.
fn may_write(caller: Caller, collection: &Collection, row: Row) -> bool {
    let own = row == Row::OfOwnMunicipality;
    match caller {
        Caller::Coordinator => true,
        Caller::Anonymous => false,
        _ if collection.of_creator => false,
        Caller::Tutor => own && !ONLY_OWN_ROW_OF_A_TUTOR.contains(&collection.name),
        Caller::Municipality | Caller::BoundPartner => own,
        Caller::RegionalPartner => true,
    }
}

/// Returns the status that this caller must get.
fn expected_status(caller: Caller, operation: &Operation, public_read: bool, row: Row) -> u16 {
    let held_by = |role| operation.scopes.iter().all(|scope| scopes::can_hold(role, scope));
    if caller == Caller::Anonymous && !(public_read && held_by(Role::Anonymous)) {
        return 401;
    }
    if !held_by(caller.role()) {
        return 403;
    }
    if !operation.path.contains('{') {
        return if operation.method == Method::GET { 200 } else { 422 };
    }
    let collection = registry::of_path(&operation.path).unwrap();
    // The body is checked before the row. Only an order to the service has a body that is neither a row nor a patch.
    if operation.method == Method::POST && operation.body.is_some() {
        return 422;
    }
    // A caller with the scope sees every row in no hidden state, but not what other callers created for themselves.
    let visible = caller == Caller::Coordinator || !collection.of_creator;
    match (row, &operation.method) {
        (Row::Missing, _) => 404,
        _ if !visible => 404,
        (_, &Method::GET) => 200,
        _ if ONLY_FOR_THE_COORDINATOR.contains(&&*operation.id) && caller != Caller::Coordinator => 403,
        _ if !may_write(caller, collection, row) => 403,
        // A part of a row, such as a secret of a client, has no version of its own.
        (_, &Method::POST) => 201,
        _ if operation.path.matches('{').count() > 1 => 204,
        _ => 412,
    }
}

/// Returns the body of the row, with a key that no row has if it is to be missing.
fn body(rows: &Rows, operation: &Operation, row: Row) -> Value {
    if !operation.path.contains('{') {
        return Value::Null;
    }
    let mut body = rows.row(&operation.path).2.clone();
    for (key, missing) in [("code", "999"), ("slug", "nothing")] {
        if row == Row::Missing && body[key].is_string() {
            body[key] = json!(missing);
        }
    }
    body
}

async fn check_every_operation(public_read: bool) {
    let server = Server::with(&[("PUBLIC_READ", if public_read { "true" } else { "false" })]);
    let (own, other) = (Rows::of(&server, "049").await, Rows::of(&server, "092").await);
    let mut walked = 0;
    for operation in operations().iter().filter(|operation| !operation.open && !operation.scopes.is_empty()) {
        for (row, rows) in [(Row::Missing, &own), (Row::OfAnother, &other), (Row::OfOwnMunicipality, &own)] {
            let path = if row == Row::Missing { missing_path(&operation.path) } else { rows.path(&operation.path) };
            let sent = match operation.method {
                Method::PUT => Some(body(rows, operation, row).to_string()),
                Method::POST | Method::PATCH => Some("{}".to_owned()),
                _ => None,
            };
            for caller in Caller::ALL {
                let client = caller.client(&server).if_match("\"0-full\"");
                let answer = client.send(operation.method.clone(), &path, sent.clone()).await;
                assert_eq!(
                    answer.status,
                    expected_status(caller, operation, public_read, row),
                    "{} as {caller:?} on a row {row:?}, PUBLIC_READ={public_read}: {}",
                    operation.id,
                    answer.text
                );
                walked += 1;
            }
        }
    }
    assert!(walked > 100 * COLLECTIONS.len(), "only {walked} requests");
}

#[tokio::test]
async fn each_caller_gets_the_status_of_its_reach() {
    check_every_operation(false).await;
}

#[tokio::test]
async fn each_caller_gets_the_status_of_its_reach_with_public_read() {
    check_every_operation(true).await;
}
