//! Media types and encodings: what a request says is read leniently, and a refusal names what the service takes.
//! Computed from the document.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::Client,
    document::{Operation, operations},
    rows::Rows,
};

/// The `Accept` of `URL.openConnection()` in Java up to 17.0.2.
pub(super) const OLD_JAVA: &str = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";

/// Values of `Accept` with an item that cannot be read strictly.
const UNREADABLE: &[&str] = &[
    OLD_JAVA,
    "text/html, *; q=.2",
    "*;q=0.1",
    "*/*;q=.2",
    "*/*;q=0.8000",
    "*/*;q=\"0.8\"",
    "*/*;q",
    "*/*;q=",
    "*/*;q=high",
    "*/*; Q = 0.5",
    "*/*;level",
    "text/html, json",
    "application/",
];

/// Values of `Accept-Encoding` with an item that cannot be read strictly, and no other one that is acceptable.
const UNREADABLE_ENCODINGS: &[&str] = &[
    "gzip;q=.5, identity;q=0",
    "gzip;q=0.8000, *;q=0",
    "gzip;q=\"0.8\", *;q=0",
    "gzip; Q = 0.5, identity;q=0",
    "gzip;level=9, identity;q=0",
    "gzip;q, *;q=0",
];

/// Sends the example of an operation.
async fn send(client: &Client, rows: &Rows, operation: &Operation) -> crate::support::client::Answer {
    let body = operation.body.as_ref().map(|_| rows.example(operation).to_string());
    let media_type = operation.body.as_ref().map_or("application/json", |body| &body.media_type);
    let client = client.if_match("\"1\"").with("content-type", media_type);
    client.send(operation.method.clone(), &rows.path(&operation.path), body).await
}

#[tokio::test]
async fn what_cannot_be_read_in_accept_counts_as_accepted() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let coordinator = server.coordinator();
    for operation in operations().into_iter().filter(|operation| operation.method == Method::GET) {
        for accept in UNREADABLE {
            let answer = send(&coordinator.with("accept", accept), &rows, &operation).await;
            assert_ne!(answer.status, 406, "{} with Accept: {accept}", operation.id);
        }
        for encoding in UNREADABLE_ENCODINGS {
            let answer = send(&coordinator.with("accept-encoding", encoding), &rows, &operation).await;
            assert_ne!(answer.status, 406, "{} with Accept-Encoding: {encoding}", operation.id);
        }
    }
    for encoding in UNREADABLE_ENCODINGS {
        let list = coordinator.with("accept-encoding", encoding).get("/v1/municipalities").await;
        assert_eq!(list.header("content-encoding"), "gzip", "{encoding}");
    }
    for understood in ["text/html, application/xml;q=0.9", "application/json;q=0", "*/*;q=0.000", "text/*"] {
        let refused = coordinator.with("accept", understood).get("/v1/municipalities").await;
        refused.expect_problem(406, "not_acceptable");
    }
    for understood in ["identity;q=0", "*;q=0", "zstd;q=0.5, *;q=0.0", "identity;q=0, deflate;q=0"] {
        let refused = coordinator.with("accept-encoding", understood).get("/v1/municipalities").await.expect(406);
        assert!(refused.body["detail"].as_str().unwrap().contains("`Accept-Encoding`"), "{}", refused.text);
    }
}

#[tokio::test]
async fn every_operation_is_reachable_with_the_media_types_of_its_responses() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let coordinator = server.coordinator();
    for operation in operations() {
        for accept in &operation.media_types {
            let answer = send(&coordinator.with("accept", accept), &rows, &operation).await;
            assert_ne!(answer.status, 406, "{} with Accept: {accept}", operation.id);
        }
    }
    let only_problems = coordinator.with("accept", "application/problem+json");
    let theme = json!({"slug": "passwords", "kind": "theme", "name": {"en": "Passwords"}});
    let created = only_problems.post("/v1/themes", &theme).await.expect(201);
    only_problems.get("/v1/themes/passwords").await.expect(200);
    only_problems.if_match(&created.etag()).delete("/v1/themes/passwords").await.expect(204);
}

#[tokio::test]
async fn an_encoded_body_is_refused_with_the_name_of_its_encoding() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let coordinator = server.coordinator();
    for operation in operations().into_iter().filter(|operation| operation.body.is_some()) {
        for encoding in ["gzip", "UTF-8", "identity, br"] {
            let answer = send(&coordinator.with("content-encoding", encoding), &rows, &operation).await;
            let named = encoding.rsplit(' ').next().unwrap();
            let (status, text) = match &answer.body["error_description"] {
                Value::Null => (415, &answer.body["detail"]),
                description => (400, description),
            };
            let text = text.as_str().unwrap();
            assert_eq!(answer.status, status, "{}: {}", operation.id, answer.text);
            assert_eq!(answer.header("accept-encoding"), "identity", "{}: {}", operation.id, answer.text);
            assert!(text.contains(&format!("`{named}`")), "{} {encoding}: {text}", operation.id);
            assert!(!text.contains("application/json"), "{} {encoding}: {text}", operation.id);
        }
    }
    for (slug, identity) in [("one", "identity"), ("two", "Identity"), ("three", "identity, identity"), ("four", "")] {
        let theme = json!({"slug": slug, "kind": "theme", "name": {"en": "Passwords"}});
        coordinator.with("content-encoding", identity).post("/v1/themes", &theme).await.expect(201);
    }
    let token =
        coordinator.with("content-encoding", "identity").with("content-type", "application/x-www-form-urlencoded");
    let answer = token.send(Method::POST, "/v1/auth/token", Some("grant_type=client_credentials".into())).await;
    assert_eq!((answer.status, &answer.body["error"]), (401, &json!("invalid_client")), "{}", answer.text);
    let hostile = coordinator.with("content-encoding", &"x".repeat(5000));
    assert!(hostile.post("/v1/themes", &json!({})).await.expect(415).text.len() < 1000);
}

#[tokio::test]
async fn the_media_types_of_patches_are_announced() {
    const MEDIA_TYPES: &str = "application/merge-patch+json, application/json";
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let coordinator = server.coordinator();
    let operations = operations();
    for operation in &operations {
        let path = rows.path(&operation.path);
        let can_patch = operations.iter().any(|other| other.path == operation.path && other.method == Method::PATCH);
        let options = coordinator.send(Method::OPTIONS, &path, None).await.expect(204);
        let announced = options.headers.get("accept-patch").map(|value| value.to_str().unwrap());
        assert_eq!(announced, can_patch.then_some(MEDIA_TYPES), "OPTIONS {path}");
        if operation.body.is_none() || operation.open {
            continue;
        }
        let text = coordinator.if_match("\"1\"").with("content-type", "text/plain");
        let refused = text.send(operation.method.clone(), &path, Some("{}".into())).await;
        let refused = refused.expect_problem(415, "unsupported_media_type");
        if operation.method == Method::PATCH {
            assert_eq!(refused.header("accept-patch"), MEDIA_TYPES, "{}", operation.id);
            assert_eq!(refused.header("accept"), MEDIA_TYPES, "{}", operation.id);
            let encoded = coordinator.with("content-encoding", "gzip").patch(&path, &json!({})).await.expect(415);
            assert_eq!(encoded.header("accept-patch"), MEDIA_TYPES, "{}", operation.id);
        } else {
            assert_eq!(refused.header("accept"), "application/json", "{}", operation.id);
            assert!(refused.headers.get("accept-patch").is_none(), "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_body_is_skipped() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let coordinator = server.coordinator();
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        let is_form = body.media_type == "application/x-www-form-urlencoded";
        let caller = if is_form { server.anonymous() } else { coordinator.clone() };
        let client = caller.if_match("\"1\"").with("content-type", &body.media_type);
        let path = rows.path(&operation.path);
        let text = if is_form {
            "grant_type=client_credentials&client_id=a&client_secret=b".to_owned()
        } else {
            rows.example(&operation).to_string()
        };
        let plain = client.send(operation.method.clone(), &path, Some(text.clone())).await;
        let marked = client.send(operation.method.clone(), &path, Some(format!("\u{feff}{text}"))).await;
        for answer in [&plain, &marked] {
            assert_ne!(answer.body["code"], "malformed_json", "{}: {}", operation.id, answer.text);
            assert_ne!(answer.body["error"], "invalid_request", "{}: {}", operation.id, answer.text);
        }
    }
    let post = |text: &str| coordinator.send(Method::POST, "/v1/themes", Some(text.to_owned()));
    let theme = json!({"slug": "passwords", "kind": "theme", "name": {"en": "Passwords"}});
    post(&format!("\u{feff}{theme}")).await.expect(201);
    for text in ["\u{feff}", "\u{feff}\u{feff}{}", "{\u{feff}}"] {
        post(text).await.expect_problem(400, "malformed_json");
    }
}
