//! Every JSON answer ends with a new line, for people with a terminal. Computed from the document.

use reqwest::Method;
use serde_json::json;

use crate::support::{Server, client::Answer, document::operations, fixtures, rows::Rows};

#[tokio::test]
async fn every_json_answer_ends_with_a_new_line() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let callers = [server.coordinator(), server.anonymous(), server.coordinator().with("accept", "image/png")];
    let assert_line = |what: &str, answer: &Answer| {
        let is_json = answer.headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().ends_with("json"));
        assert!(!is_json || answer.text.ends_with("}\n"), "{what}: {:?}", answer.text);
    };
    for operation in operations() {
        let mut path = rows.path(&operation.path);
        if operation.id == "merge_municipality" {
            // The other operations need the municipality.
            path += "?dry_run=true";
        }
        let body = operation.body.as_ref().map(|_| rows.example(&operation).to_string());
        for caller in &callers {
            let answer = caller.if_match("*").send(operation.method.clone(), &path, body.clone()).await;
            assert_line(&operation.id, &answer);
            let head = caller.send(Method::HEAD, &path, None).await;
            let get = caller.get(&path).await;
            if let (200, Some(length)) = (get.status, head.headers.get("content-length")) {
                assert_eq!(length.to_str().unwrap(), get.text.len().to_string(), "{path}");
            }
        }
    }
    let keyed = server.coordinator().with("idempotency-key", "once");
    let theme = json!({"slug": "passwords", "kind": "theme", "name": {"en": "Passwords"}});
    let first = keyed.post("/v1/themes", &theme).await.expect(201);
    let again = keyed.post("/v1/themes", &theme).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
    assert_line("a replay", &again);
    let form = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    assert_line("an error of OAuth", &form.send(Method::POST, "/v1/auth/token", Some("a=b".into())).await);
    fixtures::insert_account(&server, "digituki@example.org", json!({})).await;
    let login = json!({"email": "digituki@example.org", "password": fixtures::PASSWORD});
    assert_line("a token", &server.anonymous().post("/v1/auth/login", &login).await.expect(200));
}
