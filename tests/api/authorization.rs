//! Who may do what, computed from the document: an operation that is added tomorrow is covered tomorrow.

use kuntatutorit::{app, auth::scopes::SCOPES, openapi};
use reqwest::Method;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;

use crate::support::{
    Server,
    client::Client,
    rows::{ID, Rows},
};

/// Operations that need no token. This list only shrinks.
const OPEN: &[&str] = &[
    "get_jwks",
    "get_linked_calendar",
    "get_livez",
    "get_oauth_metadata",
    "get_openapi",
    "get_problems",
    "get_readyz",
    "issue_token",
    "login",
    "logout",
    "refresh",
    "set_password",
];
/// Operations that any valid token may use. This list only shrinks.
const WITHOUT_SCOPE: &[&str] = &["get_about", "get_me"];
/// Operations that make what is the caller's own, whatever it is about. This list only shrinks.
const OWN: &[&str] = &["create_calendar_link"];

/// An operation, and who may use it.
pub(crate) struct Documented {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) open: bool,
}

pub(crate) fn operations() -> Vec<Documented> {
    let document = app::document();
    let paths = document.paths.paths.iter();
    let all = paths
        .flat_map(|(path, item)| openapi::operations(item).map(move |(method, operation)| (path, method, operation)));
    all.map(|(path, method, operation)| documented(path, method.as_str(), operation)).collect()
}

fn documented(path: &str, method: &str, operation: &Operation) -> Documented {
    let security = serde_json::to_value(&operation.security).unwrap();
    let requirements = security.as_array().unwrap_or_else(|| panic!("{method} {path} does not say its security"));
    let bearer = requirements.iter().find_map(|requirement| requirement.get("bearer"));
    Documented {
        id: operation.operation_id.clone().unwrap(),
        method: method.parse().unwrap(),
        path: path.to_owned(),
        scopes: bearer.map_or_else(Vec::new, |scopes| serde_json::from_value(scopes.clone()).unwrap()),
        open: bearer.is_none() || requirements.contains(&json!({})),
    }
}

fn filled(path: &str) -> String {
    path.replace("{code}", "092")
        .replace("{slug}", "training")
        .replace("{id}", ID)
        .replace("{secret_id}", ID)
        .replace("{secret}", ID)
}

async fn call(client: &Client, operation: &Documented, path: &str, body: &Value) -> crate::support::client::Answer {
    let body = (!matches!(operation.method, Method::GET | Method::DELETE)).then(|| body.to_string());
    client.if_match("*").send(operation.method.clone(), path, body).await
}

#[test]
fn the_operations_without_a_token_or_a_scope_are_these() {
    let mut open: Vec<_> = operations().iter().filter(|o| o.open).map(|o| o.id.clone()).collect();
    open.sort();
    assert_eq!(open, OPEN);
    let mut without: Vec<_> =
        operations().iter().filter(|o| !o.open && o.scopes.is_empty()).map(|o| o.id.clone()).collect();
    without.sort();
    assert_eq!(without, WITHOUT_SCOPE);
}

#[tokio::test]
async fn without_a_token_every_operation_is_401() {
    let server = Server::start();
    for operation in operations().iter().filter(|operation| !operation.open) {
        let answer = call(&server.anonymous(), operation, &filled(&operation.path), &json!({})).await;
        let answer = answer.expect_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", operation.id);
    }
}

#[tokio::test]
async fn with_every_scope_but_its_own_every_operation_is_403() {
    let server = Server::start();
    for operation in operations().iter().filter(|operation| !operation.scopes.is_empty()) {
        let others =
            SCOPES.iter().map(|scope| scope.name).filter(|name| operation.scopes.iter().all(|own| own != name));
        let client = server.partner("partner", &others.collect::<Vec<_>>().join(" "), None);
        let answer = call(&client, operation, &filled(&operation.path), &json!({})).await;
        let answer = answer.expect_problem(403, "missing_scope");
        assert_eq!(answer.body["scope"], operation.scopes[0], "{}", operation.id);
        assert!(answer.header("www-authenticate").contains(&operation.scopes[0]));
    }
}

#[tokio::test]
async fn nobody_writes_what_belongs_to_another_municipality() {
    let server = Server::start();
    let rows = Rows::of(&server, "092").await;
    let coordinator = server.coordinator();
    for operation in operations() {
        let own = OWN.contains(&operation.id.as_str());
        if own || operation.open || operation.scopes.is_empty() || operation.method == Method::GET {
            continue;
        }
        let (collection, key, body) = rows.row(&operation.path);
        let path = rows.path(&operation.path);
        let sent = if operation.method == Method::PATCH { &json!({}) } else { body };
        let scope =
            SCOPES.iter().map(|scope| scope.name).filter(|name| *name != "themes:write").collect::<Vec<_>>().join(" ");
        for stranger in
            [server.municipality("049"), server.tutor("049", ID), server.partner("espoo-calendar", &scope, Some("049"))]
        {
            let answer = call(&stranger, &operation, &path, sent).await;
            assert!(matches!(answer.status, 403 | 404), "{} answered {}", operation.id, answer.text);
        }
        if operation.method != Method::POST {
            let after = coordinator.get(&format!("{collection}/{key}")).await.expect(200).body;
            assert_eq!(after, *body, "{} changed it", operation.id);
        }
    }
}
