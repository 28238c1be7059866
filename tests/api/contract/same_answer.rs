//! A broken rule has the same code and status in `POST`, `PUT` and `PATCH`. Computed from the document and the
//! registry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{has_type, placed, places},
    rows::{self, ID, Rows, creation},
    soak::times,
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// Values that break a rule of many fields.
fn values(schema: &Value) -> Vec<Value> {
    let mut values = vec![json!(true), json!([null])];
    if !has_type(schema, "object") {
        // A patch merges an object into the stored one, so its mistakes are others.
        values.push(json!({"nothing": 1}));
    }
    if has_type(schema, "string") || schema["enum"].is_array() {
        let texts = [
            "",
            " ",
            "\u{a0}",
            "\0",
            "nothing",
            "Nothing!",
            "999",
            ID,
            "a@b",
            "2199-12-31T00:00:00Z",
            "1901-01-01T00:00:00Z",
        ];
        values.extend(texts.map(|text| json!(text)));
        values.push(json!("x".repeat(20_000)));
    }
    if has_type(schema, "integer") || has_type(schema, "number") {
        values.extend([json!(-1), json!(0), json!(1.5), json!(999_999_999)]);
    }
    if has_type(schema, "array") {
        values.extend([json!(["nothing", "nothing"]), json!(["999"]), json!([ID])]);
    }
    values
}

/// Fields that have another value than the default only in a stored row.
const ONLY_LATER: &[(&str, &str)] = &[("accounts", "/disabled"), ("clients", "/disabled")];

/// A refusal: its status, its code, and where it is with the code there.
type Refusal = (u16, String, BTreeSet<(String, String)>);

fn refusal(answer: &Answer) -> Option<Refusal> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| (error["pointer"].to_string(), error["code"].to_string())).collect();
    (answer.status >= 400).then(|| (answer.status, answer.body["code"].to_string(), errors))
}

/// Returns whether the answers to a write of a stored row may differ from the answer to a new one.
fn may_differ(refusals: &[Option<Refusal>; 3]) -> bool {
    let has = |refusal: &Option<Refusal>, code: &str| {
        refusal.as_ref().is_some_and(|(_, own, errors)| {
            own.contains(code) || !errors.is_empty() && errors.iter().all(|(_, known)| known.contains(code))
        })
    };
    // Only a stored row has a state, and fields that never change. Only a new row can meet another one with its key.
    let only_stored = |refusal| has(refusal, "_status_transition") || has(refusal, "fixed");
    let only_new = |refusal| has(refusal, "_unique") || has(refusal, "_pkey");
    refusals[1..].iter().all(only_stored) || only_new(&refusals[0])
}

/// A row of a collection with the body that made it, and the body of another row.
struct Row {
    caller: Client,
    collection: &'static Collection,
    path: String,
    body: Value,
    other: Value,
}

impl Row {
    /// Sends this value at this place in a new row, in a replacement and in a patch. A write that is accepted is
    /// undone.
    async fn refusals(&self, pointer: &str, value: &Value) -> [Option<Refusal>; 3] {
        let changer = self.caller.if_match("*");
        let created = self.caller.post(&self.collection.path(), &placed(&self.other, pointer, value)).await;
        if created.status == 201 {
            let key = created.body[self.collection.key].as_str().unwrap();
            let deleted = changer.delete(&format!("{}/{key}", self.collection.path())).await;
            // Accounts and clients are disabled instead.
            assert!([204, 405].contains(&deleted.status), "{}", deleted.text);
        }
        let replaced = changer.put(&self.path, &placed(&self.body, pointer, value)).await;
        self.undo(&replaced).await;
        let patched = changer.patch(&self.path, &placed(&json!({}), pointer, value)).await;
        self.undo(&patched).await;
        [refusal(&created), refusal(&replaced), refusal(&patched)]
    }

    async fn undo(&self, written: &Answer) {
        if written.status == 200 {
            self.caller.if_match("*").put(&self.path, &self.body).await;
        }
    }
}

#[tokio::test]
async fn a_rule_has_one_answer_in_post_put_and_patch() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let (mut differences, mut compared, mut turn) = (Vec::new(), 0, 0);
    for collection in COLLECTIONS.iter().filter(|of| of.name != "calendar-links") {
        let caller = rows::creator(&server, collection.name, "049", "same").await;
        let (code, other_code) = if collection.key == "code" { ("998", "997") } else { ("049", "049") };
        let body = rows.body(collection, code, "same", &json!({}));
        let other = rows.body(collection, other_code, "other", &json!({}));
        let created = caller.post(&collection.path(), &body).await.expect(201);
        let path = format!("{}/{}", collection.path(), created.body[collection.key].as_str().unwrap());
        let row = Row { caller, collection, path, body, other };
        let places = places(&creation(collection.name).schema).into_iter();
        for (pointer, schema) in places.filter(|(pointer, _)| !ONLY_LATER.contains(&(collection.name, pointer))) {
            // Each field gets some of the values, and the next field the others.
            turn += 1;
            let step = times(4, 1);
            for value in values(&schema).into_iter().skip(turn % step).step_by(step) {
                let refusals = row.refusals(&pointer, &value).await;
                compared += 1;
                if refusals.iter().any(|refusal| *refusal != refusals[0]) && !may_differ(&refusals) {
                    let shown: String = value.to_string().chars().take(40).collect();
                    differences.push(format!("{} {pointer} {shown}: {refusals:?}", collection.name));
                }
            }
        }
    }
    assert!(compared > 200, "{compared}");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
