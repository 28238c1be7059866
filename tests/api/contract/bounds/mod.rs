//! Every bound in the document is the bound of the code: the tests send the last good value and the first bad one.

mod cases;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use kuntatutorit::problem::constraints::RULES;
use reqwest::Method;
use serde_json::json;

use self::cases::{Case, cases, has_fixed_length};
use crate::support::{
    Server,
    client::{Answer, Client},
    databases::{fresh_database, run},
    document::{Operation, has_type, operations, placed, places},
    fixtures,
    rows::{Rows, missing_path, references},
    sql::constraints,
};
use kuntatutorit::registry;

/// Suffixes of codes for references: a row must exist, or must not exist yet.
const REFERENCES: [&str; 4] = ["_exist", "_exists", "_unique", "_pkey"];
/// Codes of rules on fixed fields and on combinations of fields.
const SEVERAL_FIELDS: [&str; 3] = ["fixed", "one_of", "not_after"];
/// Other rules that are no bound of a single value: the names of time zones, and a respondent that an account gives,
/// which must be that account.
const OTHER_RULES: [(&str, &str); 2] = [("/time_zone", "invalid_time_zone"), ("/respondent", "invalid_value")];

/// The names of constraints on one column. Other rules of the database compare several columns or rows.
static ONE_COLUMN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let constraints = run(constraints(&fresh_database()));
    constraints
        .into_iter()
        .filter(|constraint| constraint.columns.len() == 1)
        .map(|constraint| constraint.name)
        .collect()
});

/// Returns the broken rules that an answer lists, with their places.
fn errors(answer: &Answer) -> impl Iterator<Item = (&str, &str)> {
    answer.body["errors"].as_array().into_iter().flatten().map(|error| {
        let place = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default();
        (place, error["code"].as_str().unwrap())
    })
}

fn is_no_bound((at, code): (&str, &str)) -> bool {
    let of_database = RULES.iter().any(|rule| rule.constraint == code);
    let is_reference = REFERENCES.iter().any(|end| code.ends_with(end));
    of_database && (is_reference || !ONE_COLUMN.contains(code))
        || SEVERAL_FIELDS.contains(&code)
        || OTHER_RULES.contains(&(at, code))
}

/// Returns whether the service accepted the value: at most a reference or another field is wrong, so the database's
/// bounds are no tighter.
fn is_taken(answer: &Answer) -> bool {
    let refused = [400, 403, 404, 413, 415].contains(&answer.status) || answer.status >= 500;
    !refused && (answer.status != 422 || errors(answer).count() > 0) && errors(answer).all(is_no_bound)
}

/// Returns whether the answer lists a broken rule at this place or inside it.
fn is_refused(answer: &Answer, at: &str) -> bool {
    let here = |place: &str| {
        place == at || place.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')) || format!("{place}/0") == at
    };
    answer.status == 422 && errors(answer).any(|(place, _)| here(place))
}

fn check(operation: &Operation, at: &str, case: &Case, right: bool, answer: &Answer) -> Option<String> {
    let (value, taken) = case;
    let (value, id) = (value.to_string().chars().take(60).collect::<String>(), &operation.id);
    let told = || answer.text.chars().take(300).collect::<String>();
    (!right).then(|| format!("{id} {at} {value}: taken should be {taken}: {} {}", answer.status, told()))
}

async fn check_query(operation: &Operation, client: &Client, path: &str, wrong: &mut Vec<String>) {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "query") {
        let item = &parameter.schema["items"];
        let repeated = if item.is_object() { cases(item) } else { Vec::new() };
        for case in cases(&parameter.schema).into_iter().chain(repeated) {
            let values = case.0.as_array().cloned().unwrap_or_else(|| vec![case.0.clone()]);
            let values = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), Into::into));
            let pairs = values.map(|value: String| (parameter.name.clone(), value));
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            // An empty array makes an empty query: the parameter is absent.
            if query.is_empty() {
                continue;
            }
            let answer = client.get(&format!("{path}?{query}")).await;
            let right = match (case.1, answer.body["code"].as_str()) {
                // No test can make up a valid cursor of a given length.
                (true, Some("bad_cursor")) => parameter.name == "cursor",
                (true, _) => is_taken(&answer),
                (false, code) => is_refused(&answer, &parameter.name) || code == Some("unknown_include"),
            };
            wrong.extend(check(operation, &parameter.name, &case, right, &answer));
        }
    }
}

/// A malformed key must answer 404 like an unknown key.
async fn check_path(operation: &Operation, client: &Client, wrong: &mut Vec<String>) {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "path") {
        for case in cases(&parameter.schema) {
            let value = url::form_urlencoded::byte_serialize(case.0.as_str().unwrap().as_bytes()).collect::<String>();
            let path = operation.path.replace(&format!("{{{}}}", parameter.name), &value.replace('+', "%20"));
            let path = missing_path(&path);
            let body = operation.body.as_ref().map(|body| body.example.to_string());
            let answer = client.send(operation.method.clone(), &path, body).await;
            let right = answer.status == 404 || case.1 && is_taken(&answer);
            wrong.extend(check(operation, &parameter.name, &case, right, &answer));
        }
    }
}

/// Makes rows that the items of arrays can refer to, so that the longest arrays can be stored.
async fn create_items(server: &Server) {
    let slugs: Vec<_> = (0..50).map(|n| format!("{n:03}")).collect();
    fixtures::insert_themes(server, &slugs.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let municipalities = "insert into municipalities
            (code, name, region_code, region_name, language_status, population, population_on, location)
        select to_char(n, 'FM000'), '{\"fi\": \"Kunta\"}', '01', '{\"fi\": \"Uusimaa\"}', 'fi', 1, '2022-12-31',
            '{\"lat\": 60, \"lon\": 25}'
        from generate_series(0, 399) as n on conflict do nothing";
    server.execute(municipalities).await;
    let tutors = "insert into tutors (id, source, name, municipality_code)
        select lpad(to_hex(n), 32, '0')::uuid, 'kuntatutorit', 'Kuntatutor', '049' from generate_series(1, 50) as n";
    server.execute(tutors).await;
}

#[tokio::test]
async fn every_bound_in_the_document_is_enforced() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    create_items(&server).await;
    let client = server.coordinator().if_match("*");
    let mut wrong = Vec::new();
    let mut operations = operations();
    // Rows that refer to others come first, because later cases change the rows that they refer to.
    operations.sort_by_key(|operation| {
        registry::of_path(&operation.path).is_none_or(|collection| references(collection.name).is_empty())
    });
    for operation in operations {
        let path = rows.path(&operation.path);
        check_query(&operation, &client, &path, &mut wrong).await;
        check_path(&operation, &client, &mut wrong).await;
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        let client = client.with("content-type", &body.media_type);
        // An otherwise empty patch breaks no other rule.
        let example = if operation.method == Method::PATCH { json!({}) } else { rows.example(&operation) };
        for (pointer, schema) in places(&body.schema) {
            for case in cases(&schema) {
                let sent = placed(&example, &pointer, &case.0).to_string();
                let answer = client.send(operation.method.clone(), &path, Some(sent)).await;
                let right = if case.1 { is_taken(&answer) } else { is_refused(&answer, &pointer) };
                wrong.extend(check(&operation, &pointer, &case, right, &answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{} bounds in the document are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_service_accepts_every_example_of_a_request_body() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        assert!(body.example.is_object(), "{} has no example", operation.id);
        if body.media_type.ends_with("json") {
            let client = server.coordinator().if_match("*").with("content-type", &body.media_type);
            let sent = Some(body.example.to_string());
            let answer = client.send(operation.method.clone(), &rows.path(&operation.path), sent).await;
            assert!(is_taken(&answer), "{}: {}", operation.id, answer.text);
        }
    }
}

/// The fields of the form of the token endpoint, sent by a client that could sign in with them.
#[tokio::test]
async fn the_fields_of_the_token_form_are_bounded() {
    let server = Server::start();
    let client = json!({"name": "Kalenteri", "source": "espoo-calendar", "scopes": ["events:read"]});
    let client = server.coordinator().post("/v1/clients", &client).await.expect(201).body;
    let right = BTreeMap::from([
        ("/client_id", client["id"].as_str().unwrap()),
        ("/client_secret", client["client_secret"].as_str().unwrap()),
        ("/grant_type", "client_credentials"),
        ("/scope", "events:read"),
    ]);
    let anonymous = server.anonymous().with("content-type", "application/x-www-form-urlencoded");
    for operation in operations() {
        let Some(body) = operation.body.as_ref().filter(|body| !body.media_type.ends_with("json")) else { continue };
        for (pointer, schema) in places(&body.schema) {
            let most = usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap();
            // Only scopes may have additional spaces.
            let (with, longest) = if pointer == "/scope" { (" ", most) } else { ("x", right[&*pointer].len()) };
            for (length, status) in [(longest, 200..=200), (most + 1, 400..=401)] {
                let value = format!("{}{}", right[&*pointer], with.repeat(length - right[&*pointer].len()));
                let mut form = right.clone();
                form.insert(&pointer, &value);
                let form = form.iter().map(|(pointer, value)| (&pointer[1..], *value));
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
                let answer = anonymous.send(operation.method.clone(), &operation.path, Some(form)).await;
                assert!(status.contains(&answer.status), "{pointer} of {length}: {} {}", answer.status, answer.text);
            }
        }
    }
}

/// Without a bound a caller could send a value of any size (OWASP API4:2023).
#[test]
fn every_text_and_every_array_of_a_request_is_bounded() {
    let mut unbounded = Vec::new();
    for operation in operations() {
        // The HTTP library refuses long headers together with the head.
        let parameters = operation.parameters.iter().filter(|parameter| parameter.place != "header");
        let parameters = parameters.map(|parameter| (parameter.name.clone(), parameter.schema.clone()));
        let fields = operation.body.iter().flat_map(|body| places(&body.schema));
        for (at, schema) in parameters.chain(fields) {
            let items = &schema["items"];
            for (at, schema) in [(&at, &schema), (&format!("{at}/0"), items)] {
                let text = has_type(schema, "string") && schema["maxLength"].is_null() && !has_fixed_length(schema);
                let array = has_type(schema, "array") && schema["maxItems"].is_null();
                unbounded.extend((text || array).then(|| format!("{} {at}", operation.id)));
            }
        }
    }
    assert!(unbounded.is_empty(), "these have no bound: {}", unbounded.join("\n"));
}
