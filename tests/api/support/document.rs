//! The OpenAPI document as the computed tests read it: a new operation is covered as soon as the document has it.

use std::collections::BTreeSet;

use kuntatutorit::server;
use reqwest::Method;
use serde_json::{Map, Value, json};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation of the document.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// The statuses that the document says it can answer with.
    pub(crate) statuses: Vec<u16>,
    /// The media types of its responses, of failures too.
    pub(crate) media_types: BTreeSet<String>,
    /// The scopes that an access token needs.
    pub(crate) scopes: Vec<String>,
    /// Whether it works without an access token.
    pub(crate) open: bool,
}

/// A parameter, with all references in its schema resolved.
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `query`, `path` or `header`.
    pub(crate) place: String,
    pub(crate) schema: Value,
}

/// A request body, with all references in its schema resolved.
pub(crate) struct Body {
    pub(crate) media_type: String,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// Returns every operation.
pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(server::document()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            all.push(operation(&document, path, method, item));
        }
    }
    all
}

fn operation(document: &Value, path: &str, method: &str, item: &Value) -> Operation {
    let of = &item[method];
    let security = of["security"].as_array().unwrap_or_else(|| panic!("{method} {path} has no `security`"));
    let bearer = security.iter().find_map(|requirement| requirement.get("bearer"));
    Operation {
        id: of["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        parameters: of["parameters"].as_array().into_iter().flatten().map(|of| parameter(document, of)).collect(),
        body: of["requestBody"]["content"].as_object().map(|content| body(document, item, content)),
        media_types: media_types(document, &of["responses"]),
        statuses: of["responses"].as_object().unwrap().keys().filter_map(|status| status.parse().ok()).collect(),
        scopes: bearer.map_or_else(Vec::new, |scopes| serde_json::from_value(scopes.clone()).unwrap()),
        open: bearer.is_none() || security.contains(&json!({})),
    }
}

fn media_types(document: &Value, responses: &Value) -> BTreeSet<String> {
    let responses = responses.as_object().unwrap().values().map(|response| match response["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => response,
    });
    responses
        .filter_map(|response| response["content"].as_object())
        .flat_map(|content| content.keys().cloned())
        .collect()
}

fn parameter(document: &Value, of: &Value) -> Parameter {
    Parameter {
        name: of["name"].as_str().unwrap().to_owned(),
        place: of["in"].as_str().unwrap().to_owned(),
        schema: resolved(document, &of["schema"]),
    }
}

/// A merge patch may contain the fields of the PUT body.
fn body(document: &Value, item: &Value, content: &Map<String, Value>) -> Body {
    let (media_type, of) = content.iter().next().unwrap();
    let mut schema = resolved(document, &of["schema"]);
    if schema.get("properties").is_none() {
        schema = resolved(document, &item["put"]["requestBody"]["content"]["application/json"]["schema"]);
    }
    let example = of.get("example").unwrap_or(&schema["example"]).clone();
    Body { media_type: media_type.clone(), schema, example }
}

/// Returns a schema with its references resolved, and without the null of "null or this schema".
fn resolved(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        return resolved(document, target.unwrap_or_else(|| panic!("the document does not define {reference}")));
    }
    if let Some(either) = schema["oneOf"].as_array().filter(|either| either.len() == 2) {
        let other = either.iter().find(|one| one["type"] != "null").unwrap();
        return resolved(document, other);
    }
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = resolved(document, property));
    }
    if let Some(items) = schema.get_mut("items") {
        *items = resolved(document, items);
    }
    schema
}

/// Returns whether the schema has this type, alone or among others.
pub(crate) fn has_type(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind))
}

/// Returns every place in a body as a JSON pointer with its schema. Of an array, it is the first item.
pub(crate) fn places(schema: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(schema, "", &mut found);
    found
}

fn collect(schema: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.push((format!("{pointer}/{name}"), property.clone()));
        collect(property, &format!("{pointer}/{name}"), found);
    }
    if schema["items"].is_object() {
        found.push((format!("{pointer}/0"), schema["items"].clone()));
        collect(&schema["items"], &format!("{pointer}/0"), found);
    }
}

/// Returns the body with this value at this place, whatever was there before.
pub(crate) fn placed(body: &Value, pointer: &str, value: &Value) -> Value {
    let (first, rest) = pointer[1..].split_once('/').map_or((&pointer[1..], None), |(first, rest)| (first, Some(rest)));
    let inner = |there: &Value| match rest {
        Some(rest) => placed(there, &format!("/{rest}"), value),
        None => value.clone(),
    };
    if first == "0" {
        return json!([inner(&Value::Null)]);
    }
    let mut fields = body.as_object().cloned().unwrap_or_default();
    let there = fields.get(first).cloned().unwrap_or_default();
    fields.insert(first.to_owned(), inner(&there));
    Value::Object(fields)
}
