//! A row of one municipality in every collection of the registry, made from the example in the document.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Server,
    client::Client,
    document::{Body, Operation, has_type, operations},
};
use kuntatutorit::registry;
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// An id that no row has.
pub(crate) const ID: &str = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e";
/// A secret that no calendar link has.
const SECRET: &str = "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ";

/// Returns the fields in which a row must differ from the example in the document. This list is the only place of the
/// computed tests for such exceptions.
fn exception(collection: &str) -> Value {
    match collection {
        // A completed event is visible to every caller, and feedback needs one that has ended lately.
        "events" => {
            let ended = Utc::now() - TimeDelta::days(1);
            json!({"status": "completed", "starts_at": ended - TimeDelta::hours(2), "ends_at": ended})
        }
        _ => json!({}),
    }
}

/// Returns the fields with which the personal data of a row is hidden from other municipalities.
pub(crate) fn hidden_from_others(collection: &str, code: &str) -> Value {
    match collection {
        "tutors" => json!({"visibility": "coordinator"}),
        "events" => json!({"audience": [code]}),
        "feedback" => json!({"publish_consent": false}),
        _ => json!({}),
    }
}

/// Returns the fields with which the members of the network see the personal data of a row, and the public does not.
pub(crate) fn visible_to_members(collection: &str) -> Option<Value> {
    (collection == "tutors").then(|| json!({"visibility": "network"}))
}

/// Operations on rows of a municipality that only the coordinator may use.
pub(crate) const ONLY_FOR_THE_COORDINATOR: &[&str] = &["delete_municipality"];
/// Collections in which an account of a tutor writes only its own row, and no other row of its municipality.
pub(crate) const ONLY_OWN_ROW_OF_A_TUTOR: &[&str] = &["tutors"];

/// Returns a caller that can create any number of rows: the coordinator, with these exceptions. A partner system has this
/// source.
pub(crate) async fn creator(server: &Server, collection: &str, code: &str, source: &str) -> Client {
    match collection {
        // An account gives feedback for itself, once.
        "feedback" => server.partner(source, "feedback:read feedback:write", Some(code)),
        // Only a stored account can own a link.
        "calendar-links" => {
            let email = format!("{}@kunta.example", Uuid::now_v7());
            server.sign_in_new_account(&email, json!({"municipality_code": code})).await
        }
        _ => server.coordinator(),
    }
}

/// Returns a merge patch that every row of the collection accepts. It changes a field by this number, if there is a field
/// that can have any text or number, or else sets one to true for an odd number.
pub(crate) fn change(collection: &str, number: usize) -> Value {
    let properties = creation(collection).schema["properties"].as_object().unwrap();
    let localized = properties.iter().find(|(_, schema)| schema["properties"].get("fi").is_some());
    if let Some((field, _)) = localized {
        return json!({field: {"fi": number.to_string()}});
    }
    let bounds = |schema: &Value| Some((schema["minimum"].as_u64()?, schema["maximum"].as_u64()?));
    let integer = properties.iter().find_map(|(field, schema)| Some((field, bounds(schema)?)));
    if let Some((field, (least, most))) = integer {
        return json!({field: least + number as u64 % (most - least + 1)});
    }
    let is_plain =
        |schema: &Value| has_type(schema, "string") && schema["pattern"].is_null() && schema["enum"].is_null();
    let text = properties.iter().find(|(_, schema)| is_plain(schema) && schema["format"].is_null());
    let choice = properties.iter().find(|(_, schema)| has_type(schema, "boolean"));
    match (text, choice) {
        (Some((field, _)), _) => json!({field: number.to_string()}),
        (None, Some((field, _))) => json!({field: number % 2 == 1}),
        (None, None) => json!({}),
    }
}

/// Returns the collections in an order in which each comes after those that it refers to.
pub(crate) fn in_order() -> Vec<&'static Collection> {
    let mut ordered = Vec::<&Collection>::new();
    while ordered.len() < COLLECTIONS.len() {
        let is_there = |name: &str| ordered.iter().any(|of| of.name == name);
        let next =
            COLLECTIONS.iter().find(|of| !is_there(of.name) && references(of.name).iter().all(|(_, to)| is_there(to)));
        ordered.push(next.expect("the examples of the document must not refer to each other in a ring"));
    }
    ordered
}

/// A row in every collection, as the coordinator sees it.
pub(crate) struct Rows(BTreeMap<&'static str, (String, Value)>);

impl Rows {
    /// Makes a row of this municipality in every collection.
    pub(crate) async fn of(server: &Server, code: &str) -> Self {
        let (mut rows, coordinator) = (Self(BTreeMap::new()), server.coordinator());
        for next in in_order() {
            let key = if next.key == "code" {
                code.to_owned()
            } else {
                let caller = creator(server, next.name, code, "rows").await;
                rows.create(&caller, next, code, code, &json!({})).await
            };
            let body = coordinator.get(&format!("{}/{key}", next.path())).await.expect(200).body;
            rows.0.insert(next.name, (key, body));
        }
        rows
    }

    /// Creates one more row with these fields and returns its key. `unique` keeps it apart from the other rows.
    pub(crate) async fn create(
        &self,
        caller: &Client,
        of: &Collection,
        code: &str,
        unique: &str,
        fields: &Value,
    ) -> String {
        let body = self.body(of, code, unique, fields);
        let answer = caller.post(&of.path(), &body).await;
        assert_eq!(
            answer.status, 201,
            "{body} was not accepted as an example of {}: {}. If the example in the document is right, add an exception to \
             tests/api/support/rows.rs",
            of.name, answer.text
        );
        answer.body[of.key].as_str().unwrap().to_owned()
    }

    /// Returns a body that creates a row of this municipality.
    pub(crate) fn body(&self, of: &Collection, code: &str, unique: &str, fields: &Value) -> Value {
        let Body { schema, example, .. } = creation(of.name);
        let mut body = example.clone();
        for column in of.municipality_codes.iter().filter(|column| has_type(&schema["properties"][**column], "string"))
        {
            body[*column] = json!(code);
        }
        for (field, to) in references(of.name) {
            body[field] = json!(self.0[to].0);
        }
        for (field, value) in [
            ("email", format!("{}-{unique}@kunta.example", of.name)),
            ("source", format!("{}-{unique}", of.name)),
            ("slug", format!("{}-{unique}", of.name)),
            ("respondent", unique.to_owned()),
        ] {
            if body.get(field).is_some() {
                body[field] = json!(value);
            }
        }
        json_patch::merge(&mut body, &exception(of.name));
        // A merge patch would remove fields with null.
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    }

    /// Returns the example of an operation's body with its references to these rows.
    pub(crate) fn example(&self, operation: &Operation) -> Value {
        let mut example = operation.body.as_ref().map_or(Value::Null, |body| body.example.clone());
        if let Some(of) = registry::of_path(&operation.path) {
            for (field, to) in references(of.name) {
                if example.get(&field).is_some() {
                    example[field] = json!(self.0[to].0);
                }
            }
        }
        example
    }

    /// Returns the key and the body of the row in this collection.
    pub(crate) fn of_collection(&self, collection: &str) -> (&str, &Value) {
        let (key, body) =
            self.0.get(collection).unwrap_or_else(|| panic!("the registry has no collection {collection}"));
        (key, body)
    }

    /// Returns the path of the collection, the key and the body of the row that an operation at this path is about.
    pub(crate) fn row<'a>(&'a self, path: &'a str) -> (&'a str, &'a str, &'a Value) {
        let of = registry::of_path(path).unwrap_or_else(|| panic!("the registry has no collection for {path}"));
        let (key, body) = self.of_collection(of.name);
        (path.split("/{").next().unwrap(), key, body)
    }

    /// Fills the path of an operation with the keys of its row.
    pub(crate) fn path(&self, path: &str) -> String {
        if !path.contains('{') {
            return path.to_owned();
        }
        if path.contains("{secret}") {
            return path.replace("{secret}", SECRET);
        }
        self.path_with_key(path, self.row(path).1)
    }

    /// Fills the path of an operation with this key of a row. Its other parameters come from the row of [`Self::row`].
    pub(crate) fn path_with_key(&self, path: &str, key: &str) -> String {
        let (_, _, body) = self.row(path);
        let of = registry::of_path(path).unwrap();
        let mut filled = path.replace(&format!("{{{}}}", of.key), key);
        // `{secret_id}` is the id of the first of the row's `secrets`.
        while let Some((before, after)) = filled.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            let list = format!("{}s", name.trim_end_matches("_id"));
            let id = body[&list][0]["id"].as_str().unwrap_or_else(|| panic!("the row for {path} has no {list}"));
            filled = format!("{before}{id}{after}");
        }
        filled
    }
}

/// Returns the body of the operation that creates a row of this collection.
pub(crate) fn creation(collection: &str) -> &'static Body {
    static BODIES: LazyLock<BTreeMap<String, Body>> = LazyLock::new(|| {
        let create = operations().into_iter().filter(|operation| operation.method == "POST");
        create.filter_map(|operation| Some((operation.path, operation.body?))).collect()
    });
    let path = format!("/v1/{collection}");
    BODIES.get(&path).unwrap_or_else(|| panic!("POST {path} has no body in the document"))
}

/// Returns the fields of the example that name a row of another collection (`event_id`), with that collection (`events`).
pub(crate) fn references(collection: &str) -> Vec<(String, &'static str)> {
    let named = creation(collection).example.as_object().unwrap().iter().filter(|(_, value)| value.is_string());
    let named = named.filter_map(|(field, _)| {
        let stem = field.strip_suffix("_id")?;
        let to = COLLECTIONS.iter().find(|to| to.name == stem || to.name == format!("{stem}s"))?;
        Some((field.clone(), to.name))
    });
    named.collect()
}

/// Fills the path of an operation with keys that no row has.
pub(crate) fn missing_path(path: &str) -> String {
    let path = path.replace("{code}", "999").replace("{slug}", "nothing").replace("{secret}", SECRET);
    let mut parts = path.split('{');
    let start = parts.next().unwrap().to_owned();
    parts.fold(start, |path, part| path + ID + part.split_once('}').unwrap().1)
}
