//! Each failure that the document shows as an example is the answer to a request.

use std::collections::BTreeMap;

use kuntatutorit::server;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Server, client::Answer, fixtures, rows::ID};

/// Codes of failures that a request alone does not cause. `resilience::faults`, `contract::every_path` and others cause
/// them.
const NEEDS_A_FAULT: &[&str] = &["body_timeout", "internal", "unavailable"];

/// Collects every example of problem details, by code.
fn collect(value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields)
            if fields.get("code").is_some_and(Value::is_string) && fields.contains_key("request_id") =>
        {
            found.insert(fields["code"].as_str().unwrap_or_default().to_owned(), value.clone());
        }
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Returns the answer to a request that causes the failure with this code.
async fn cause(server: &Server, code: &str) -> Answer {
    let coordinator = server.coordinator();
    let event = |columns: Value| async move { format!("/v1/events/{}", fixtures::insert_event(server, columns).await) };
    match code {
        "bad_cursor" => coordinator.get("/v1/events?cursor=nothing").await,
        "unauthenticated" => server.anonymous().get("/v1/events").await,
        "missing_scope" => server.partner("espoo", "events:read", None).post("/v1/events", &json!({})).await,
        "not_found" => coordinator.get(&format!("/v1/events/{ID}")).await,
        "not_acceptable" => coordinator.with("accept", "text/html").get("/v1/events").await,
        "events_status_transition" => {
            let path = event(json!({"status": "cancelled"})).await;
            coordinator.if_match("*").patch(&path, &json!({"status": "published"})).await
        }
        "precondition_failed" => coordinator.if_match("\"1\"").patch(&event(json!({})).await, &json!({})).await,
        "precondition_required" => coordinator.patch(&event(json!({})).await, &json!({})).await,
        "payload_too_large" => coordinator.post("/v1/events", &json!("x".repeat(300_000))).await,
        "uri_too_long" => coordinator.get(&format!("/v1/events?q={}", "a".repeat(17_000))).await,
        "unsupported_media_type" => coordinator.with("content-type", "text/plain").post("/v1/events", &json!({})).await,
        "invalid" => {
            let mut event = fixtures::event_body("049", "draft");
            event["ends_at"] = json!("2020-01-01T00:00:00Z");
            coordinator.post("/v1/events", &event).await
        }
        "rate_limited" => {
            let limited = server.second(&[("REQUESTS_PER_SECOND", "100")]);
            let anonymous = limited.anonymous();
            let requests = (0..400).map(|_| anonymous.send(Method::OPTIONS, "/v1/events", None));
            let answers = futures_util::future::join_all(requests).await;
            answers.into_iter().find(|answer| answer.status == 429).unwrap()
        }
        _ => panic!("the document has an example with the code {code}: add a request that causes it"),
    }
}

#[tokio::test]
async fn each_failure_in_the_document_is_the_answer_to_a_request() {
    let server = Server::start();
    let mut examples = BTreeMap::new();
    collect(&serde_json::to_value(server::document()).unwrap(), &mut examples);
    assert!(examples.len() > 12, "{:?}", examples.keys());
    for (code, mut example) in examples.into_iter().filter(|(code, _)| !NEEDS_A_FAULT.contains(&code.as_str())) {
        let mut answer = cause(&server, &code).await;
        for body in [&mut example, &mut answer.body] {
            body["request_id"] = Value::Null;
        }
        assert_eq!(answer.body, example, "the example of {code}");
    }
}

#[tokio::test]
async fn the_violation_in_the_document_is_in_the_answer_to_a_request() {
    let document = serde_json::to_value(server::document()).unwrap();
    let properties = &document["components"]["schemas"]["Violation"]["properties"];
    let shown = json!({
        "pointer": properties["pointer"]["example"], "code": properties["code"]["example"],
        "detail": properties["detail"]["example"]
    });
    let answer = cause(&Server::start(), "invalid").await.expect(422);
    assert_eq!(answer.body["errors"], json!([shown]));
}

#[tokio::test]
async fn the_failure_of_the_token_endpoint_in_the_document_is_the_answer_to_a_request() {
    let document = serde_json::to_value(server::document()).unwrap();
    let server = Server::start();
    let form = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    let body = format!("grant_type=client_credentials&client_id={ID}&client_secret=nothing");
    let answer = form.send(Method::POST, "/v1/auth/token", Some(body)).await;
    assert_eq!(answer.body, document["components"]["schemas"]["TokenProblem"]["example"], "{}", answer.text);
}
