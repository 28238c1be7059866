//! The hostile tests cover the whole document: a new field is attacked as soon as the document has it.

use std::collections::BTreeSet;

use kuntatutorit::server;
use serde_json::Value;

use crate::support::document::{has_type, operations, places};

/// Finds every place of a body in a second, independent way: by following every part of its schema.
fn every_place(document: &Value, schema: &Value, pointer: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        every_place(document, document.pointer(reference.trim_start_matches('#')).unwrap(), pointer, found);
    }
    for word in ["oneOf", "anyOf", "allOf", "prefixItems"] {
        schema[word].as_array().into_iter().flatten().for_each(|part| every_place(document, part, pointer, found));
    }
    let named = schema["properties"].as_object().into_iter().flatten();
    let named = named.map(|(name, part)| (format!("{pointer}/{name}"), part));
    let unnamed = [("items", "0"), ("additionalProperties", "any")].map(|(word, at)| (format!("{pointer}/{at}"), word));
    let unnamed = unnamed.into_iter().map(|(at, word)| (at, &schema[word])).filter(|(_, part)| part.is_object());
    for (at, part) in named.chain(unnamed) {
        every_place(document, part, &at, found);
        found.insert(at);
    }
}

#[test]
fn the_hostile_tests_attack_every_place_of_every_body() {
    let document = serde_json::to_value(server::document()).unwrap();
    let mut all = 0;
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        let path = operation.path.replace('~', "~0").replace('/', "~1");
        let schema = format!("/paths/{path}/{}/requestBody/content", operation.method.as_str().to_lowercase());
        let content = document.pointer(&schema).unwrap().as_object().unwrap();
        let mut expected = BTreeSet::new();
        content.values().for_each(|of| every_place(&document, &of["schema"], "", &mut expected));
        let attacked: BTreeSet<_> = places(&body.schema).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(attacked, expected, "{}", operation.id);
        all += attacked.len();
    }
    assert!(all > 150, "{all} places");
}

/// A nested field is a place of its own, in patches too.
#[test]
fn nested_fields_are_attacked() {
    for (id, nested) in [
        ("create_event", "/venue/name/fi"),
        ("patch_event", "/venue/name/fi"),
        ("patch_event", "/audience/0"),
        ("replace_tutor", "/contact/email"),
        ("patch_tutor", "/contact/email"),
        ("create_municipality", "/location/lat"),
    ] {
        let operation = operations().into_iter().find(|operation| operation.id == id).unwrap();
        let places = places(&operation.body.unwrap().schema);
        assert!(places.iter().any(|(pointer, _)| pointer == nested), "{id} {nested}");
    }
}

/// A value of an unknown type would have no bounds and no hostile values of its type.
#[test]
fn every_value_of_a_request_has_a_known_type() {
    let kinds = ["string", "integer", "number", "boolean", "array", "object"];
    let mut unknown = Vec::new();
    for operation in operations() {
        let fields = operation.body.iter().flat_map(|body| places(&body.schema));
        let parameters =
            operation.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.schema.clone()));
        for (at, schema) in fields.chain(parameters) {
            let known = kinds.iter().any(|kind| has_type(&schema, kind)) || schema["enum"].is_array();
            let whole = !has_type(&schema, "object") || schema["properties"].is_object();
            unknown.extend((!known || !whole).then(|| format!("{} {at}: {schema}", operation.id)));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
