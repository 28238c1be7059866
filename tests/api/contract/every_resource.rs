//! The life of a row in every collection: created, read, changed and deleted, with the addresses, entity tags and conditions
//! that every resource has. Computed from the document and the registry.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::operations,
    rows::{self, Rows},
    sql::query_lines,
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// A row, and the caller that creates, changes and deletes it.
struct Scene<'a> {
    collection: &'static Collection,
    caller: Client,
    server: &'a Server,
    path: String,
}

impl Scene<'_> {
    /// Returns whether the document has this operation on a row.
    fn has(&self, method: &Method) -> bool {
        let path = format!("{}/{{{}}}", self.collection.path(), self.collection.key);
        operations().iter().any(|operation| operation.method == *method && operation.path == path)
    }

    /// Asserts that a new `GET` answers with what this write answered, and that its tag is good for `If-None-Match`.
    async fn assert_reads(&self, written: &Answer) -> Answer {
        let read = self.caller.get(&self.path).await.expect(200);
        assert_eq!(read.etag(), written.etag(), "the ETag of a write to {}", self.path);
        for (field, value) in read.body.as_object().unwrap() {
            assert_eq!(written.body[field], *value, "{field} in the answer to a write to {}", self.path);
        }
        self.caller.with("if-none-match", &read.etag()).get(&self.path).await.expect(304);
        read
    }

    /// Sends a write with the tags of `before` and of the row as it is, and asserts that only the newer one works.
    async fn write(&self, method: Method, before: &str, now: &Answer, body: Option<Value>, status: u16) -> Answer {
        let send = |tag: String| {
            let (client, method, body) =
                (self.caller.if_match(&tag), method.clone(), body.as_ref().map(Value::to_string));
            async move { client.send(method, &self.path, body).await }
        };
        let stale = send(before.to_owned()).await;
        assert_eq!(stale.status, 412, "{method} of {} with a stale If-Match: {}", self.path, stale.text);
        let answer = send(now.etag()).await;
        assert_eq!(answer.status, status, "{method} of {}: {}", self.path, answer.text);
        answer
    }

    /// Writes in this way, and asserts that the version and the tag are new.
    async fn change(&self, method: Method, before: &str, now: &Answer, body: Value) -> Answer {
        let written = self.write(method.clone(), before, now, Some(body), 200).await;
        let version = |answer: &Answer| answer.body["version"].as_i64().unwrap();
        assert!(version(&written) > version(now), "{method} of {} must give a new version", self.path);
        assert_ne!(written.etag(), now.etag(), "{method} of {} must give a new ETag", self.path);
        assert_eq!(written.body["created_at"], now.body["created_at"], "{method} of {}", self.path);
        assert_ne!(written.body["updated_at"], now.body["updated_at"], "{method} of {}", self.path);
        self.assert_reads(&written).await
    }

    async fn live(&self, created: Answer) {
        assert_eq!(
            created.header("location"),
            format!("{}{}", self.server.url, self.path),
            "the Location of a new row of {}",
            self.collection.name
        );
        let (mut before, mut now) = ("\"0-full\"".to_owned(), self.assert_reads(&created).await);
        for (number, method) in [Method::PATCH, Method::PUT].into_iter().enumerate() {
            if self.has(&method) {
                let change = rows::change(self.collection.name, number + 1);
                let mut body = if method == Method::PATCH { json!({}) } else { now.body.clone() };
                json_patch::merge(&mut body, &change);
                let after = self.change(method, &before, &now, body).await;
                (before, now) = (now.etag(), after);
            }
        }
        if self.has(&Method::DELETE) {
            self.write(Method::DELETE, &before, &now, None, 204).await;
            self.caller.get(&self.path).await.expect_problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_write_that_changes_nothing_writes_nothing() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let everything =
        "select format('%s %s', (select last_value from versions), (select count(*) from changes)) as line";
    for collection in COLLECTIONS {
        let (key, _) = rows.of_collection(collection.name);
        let path = format!("{}/{key}", collection.path());
        for caller in [server.coordinator(), rows::creator(&server, collection.name, "049", "rows").await] {
            let read = caller.get(&path).await;
            // The owner of a calendar link is the account that created it.
            if read.status == 404 {
                continue;
            }
            let before = query_lines(&server, everything).await;
            for (method, body) in
                [(Method::PATCH, json!({})), (Method::PATCH, read.body.clone()), (Method::PUT, read.body.clone())]
            {
                let row = format!("{}/{{{}}}", collection.path(), collection.key);
                if !operations().iter().any(|operation| operation.method == method && operation.path == row) {
                    continue;
                }
                for condition in [read.etag(), "*".to_owned()] {
                    let writer = caller.if_match(&condition);
                    let written = writer.send(method.clone(), &path, Some(body.to_string())).await.expect(200);
                    assert_eq!((written.etag(), &written.body), (read.etag(), &read.body), "{method} {path}");
                }
                let stale = caller.if_match("\"0-full\"").send(method.clone(), &path, Some(body.to_string())).await;
                assert_eq!(stale.status, 412, "{method} {path}");
                assert_eq!(query_lines(&server, everything).await, before, "{method} {path} wrote something");
            }
        }
    }
}

#[tokio::test]
async fn every_row_has_its_address_and_an_entity_tag_that_follows_its_changes() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    for collection in COLLECTIONS {
        let code = if collection.key == "code" { "998" } else { "049" };
        let caller = rows::creator(&server, collection.name, "049", "lives").await;
        let body = rows.body(collection, code, "lives", &json!({}));
        let created = caller.post(&collection.path(), &body).await.expect(201);
        let path = format!("{}/{}", collection.path(), created.body[collection.key].as_str().unwrap());
        Scene { collection, caller, server: &server, path }.live(created).await;
    }
}
