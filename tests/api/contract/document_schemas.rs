//! The schemas and responses of the OpenAPI document.

use kuntatutorit::{auth::scopes, domain::Role, server};
use serde_json::Value;

/// Follows a `$ref` to the response or schema that it names.
fn followed<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

#[test]
fn every_response_has_an_example() {
    let document = serde_json::to_value(server::document()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    for (path, operation) in paths.flat_map(|(path, item)| item.as_object().unwrap().values().map(move |o| (path, o))) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let media = followed(response, &document)["content"].as_object().into_iter().flatten();
            for (media_type, content) in media.filter(|(media_type, _)| media_type.ends_with("json")) {
                let at = format!("{} of {path}: {status} {media_type}", operation["operationId"]);
                let schema = followed(&content["schema"], &document);
                let example = if content["example"].is_null() { &schema["example"] } else { &content["example"] };
                assert!(example.is_object() || path == "/openapi.json", "{at} has no example");
            }
        }
    }
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let status = &response["content"]["application/problem+json"]["example"]["status"];
        assert!(status.is_u64(), "{name} has no example of its own");
    }
}

/// Collects the pointers of the required fields and of the defaults in a schema and in the schemas that it refers to. The items
/// of lists do not count: a patch replaces a list as a whole.
fn demands(schema: &Value, pointer: &str, document: &Value, found: &mut Vec<String>) {
    let schema = followed(schema, document);
    for keyword in ["required", "default"] {
        if !schema[keyword].is_null() {
            found.push(format!("{pointer}: {keyword} {}", schema[keyword]));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        demands(property, &format!("{pointer}/{name}"), document, found);
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        for alternative in schema[keyword].as_array().into_iter().flatten() {
            demands(alternative, pointer, document, found);
        }
    }
}

#[test]
fn a_patch_requires_no_field_and_has_no_default() {
    let document = serde_json::to_value(server::document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let patches: Vec<_> = schemas.iter().filter(|(name, _)| name.ends_with("Patch")).collect();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(patches.len(), paths.values().filter(|item| item.get("patch").is_some()).count(), "{patches:?}");
    let mut found = Vec::new();
    for (name, schema) in patches {
        demands(schema, name, &document, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The interactive page fills a field with the example of its parameter.
#[test]
fn no_header_has_an_example_that_fits_only_one_request() {
    let document = serde_json::to_value(server::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
    for parameter in operations.flat_map(|operation| operation["parameters"].as_array().into_iter().flatten()) {
        if parameter["in"] == "header" {
            let shown = [&parameter["example"], &parameter["examples"], &parameter["schema"]["example"]];
            assert!(shown.iter().all(|example| example.is_null()), "{parameter}");
        }
    }
}

#[test]
fn the_scopes_of_client_credentials_are_those_that_a_client_can_hold() {
    let document = serde_json::to_value(server::document()).unwrap();
    let flows = &document["components"]["securitySchemes"]["client_credentials"]["flows"];
    let scopes: Vec<_> = flows["clientCredentials"]["scopes"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected: Vec<_> = scopes::of_role(Role::Partner).collect();
    expected.sort_unstable();
    assert_eq!(scopes, expected);
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for requirement in operation["security"].as_array().unwrap() {
                for scope in requirement["client_credentials"].as_array().into_iter().flatten() {
                    assert!(scopes.contains(&scope.as_str().unwrap()), "{path}: a client cannot hold {scope}");
                }
            }
        }
    }
}
