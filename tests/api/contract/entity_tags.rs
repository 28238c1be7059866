//! `If-Match` in every collection: the entity tag, the bare version, and tags that can never match. Computed from the
//! document and the registry.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::operations,
    rows::{self, Rows},
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// A tag that is not accepted, with words of the refusal. `V` stands for the current version.
const REFUSED: &[(&str, &str)] = &[
    ("\"1\"", "has changed"),
    ("\"1-full\"", "has changed"),
    ("\"V0\"", "has changed"),
    ("\"-V\"", "has changed"),
    ("", "has changed"),
    ("\"V-other\"", "another view"),
    ("V-full", "another view"),
    ("V", "another view"),
    ("W/\"V-full\"", "has a weak"),
    ("W/\"V\"", "has a weak"),
    ("W/\"1-full\"", "has a weak"),
    ("\"V-full-gzip\"", "has a weak"),
    ("\"V-full-br\"", "has a weak"),
    ("\"V-full;gzip\"", "has a weak"),
    ("\"V-full--gzip\"", "has a weak"),
    ("\"1\", W/\"V-full\"", "has a weak"),
];

/// A row, and the caller that changes it.
struct Row<'a> {
    collection: &'a Collection,
    caller: Client,
    path: String,
}

impl Row<'_> {
    fn has(&self, method: &Method) -> bool {
        let path = format!("{}/{{{}}}", self.collection.path(), self.collection.key);
        operations().iter().any(|operation| operation.method == *method && operation.path == path)
    }

    async fn send(&self, method: &Method, tag: &str, body: Option<&Value>) -> Answer {
        self.caller.if_match(tag).send(method.clone(), &self.path, body.map(Value::to_string)).await
    }

    /// Asserts that the tags of [`REFUSED`] are refused, each with its words.
    async fn refuses(&self, method: &Method, body: Option<&Value>, version: &str) {
        for (tag, words) in REFUSED {
            let refused = self.send(method, &tag.replace('V', version), body).await;
            let refused = refused.expect_problem(412, "precondition_failed");
            assert!(detail(&refused).contains(words), "{method} {} with {tag}: {}", self.path, refused.text);
        }
    }
}

fn detail(refused: &Answer) -> &str {
    refused.body["detail"].as_str().unwrap()
}

fn version(answer: &Answer) -> String {
    answer.body["version"].to_string()
}

#[tokio::test]
async fn patch_and_delete_take_the_bare_version_and_every_refusal_says_why() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    for collection in COLLECTIONS {
        let code = if collection.key == "code" { "998" } else { "049" };
        let caller = rows::creator(&server, collection.name, "049", "tags").await;
        let body = rows.body(collection, code, "tags", &json!({}));
        let mut row = caller.post(&collection.path(), &body).await.expect(201);
        let path = format!("{}/{}", collection.path(), row.body[collection.key].as_str().unwrap());
        let at = Row { collection, caller, path };
        if at.has(&Method::PUT) {
            at.refuses(&Method::PUT, Some(&row.body), &version(&row)).await;
            let bare = at.send(&Method::PUT, &format!("\"{}\"", version(&row)), Some(&row.body)).await;
            let refused = bare.expect_problem(412, "precondition_failed");
            assert!(detail(&refused).contains("another view"), "{}", refused.text);
        }
        if at.has(&Method::PATCH) {
            let change = rows::change(collection.name, 3);
            at.refuses(&Method::PATCH, Some(&change), &version(&row)).await;
            row = at.send(&Method::PATCH, &format!("\"{}\"", version(&row)), Some(&change)).await.expect(200);
            let several = format!("\"1\", \"{}\"", version(&row));
            row = at.send(&Method::PATCH, &several, Some(&rows::change(collection.name, 4))).await.expect(200);
        }
        if at.has(&Method::DELETE) {
            at.refuses(&Method::DELETE, None, &version(&row)).await;
            at.send(&Method::DELETE, &format!("\"{}\"", version(&row)), None).await.expect(204);
        }
    }
}

#[tokio::test]
async fn a_reduced_view_may_be_patched_and_never_put_back() {
    let server = Server::start();
    let path = format!("/v1/tutors/{}", server.create_tutor_with("049", &json!({"visibility": "coordinator"})).await);
    let reduced = server.municipality("092").get(&path).await.expect(200);
    assert!(reduced.etag().ends_with("-reduced\""), "{}", reduced.etag());
    let espoo = server.municipality("049");
    let mut erasing = reduced.body.clone();
    erasing["name"] = json!("Kuntatutor");
    let refused = espoo.if_match(&reduced.etag()).put(&path, &erasing).await;
    assert!(detail(&refused.expect_problem(412, "precondition_failed")).contains("another view"));
    let bare = format!("\"{}\"", reduced.body["version"]);
    espoo.if_match(&bare).put(&path, &erasing).await.expect_problem(412, "precondition_failed");
    espoo.if_match(&bare).patch(&path, &json!({"title": {"fi": "Kuntatutor"}})).await.expect(200);
}
