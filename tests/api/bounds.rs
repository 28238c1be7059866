//! The bounds in the document are those of the code: each is sent, and the next value beyond it.

use kuntatutorit::rules::RULES;
use regex::Regex;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, is, operations, placed, places},
    rows::Rows,
};

/// What a schema says of a value: the value, and whether it is taken.
type Case = (Value, bool);

/// Rules that are no bounds: of a field that is fixed, of two that do not go together, of the names of time zones. An
/// account is its own respondent.
const OTHER_RULES: &[(&str, &str)] = &[
    ("", "fixed"),
    ("/old_password", "one_of"),
    ("/time_zone", "invalid_time_zone"),
    ("/respondent", "invalid_value"),
];

/// Whether the form itself is the bound.
fn has_form_of_its_own(schema: &Value) -> bool {
    ["uuid", "date", "date-time"].iter().any(|format| schema["format"] == *format) || schema["enum"].is_array()
}

/// A text of this length that the schema's form takes, where one is known.
fn text(schema: &Value, length: usize) -> Option<String> {
    let pattern = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
    let padded = |start: &str| format!("{start}{}", "a".repeat(length.saturating_sub(start.len())));
    let email = || {
        let label = "a".repeat(62);
        let start = format!("{}@{label}.{label}.", "a".repeat(64.min(length.saturating_sub(5).max(1))));
        if length > 200 { padded(&start) } else { format!("{}@b.fi", "a".repeat(length.saturating_sub(5))) }
    };
    let candidates = match (schema["format"].as_str(), pattern.as_ref().map(Regex::as_str)) {
        (Some("email"), _) => vec![email()],
        (_, Some(pattern)) if pattern.contains("https") => vec![padded("https://a.example/")],
        _ => ["a", "1", "A"].map(|letter| letter.repeat(length)).to_vec(),
    };
    let fits =
        |text: &String| text.chars().count() == length && pattern.as_ref().is_none_or(|form| form.is_match(text));
    candidates.into_iter().find(fits)
}

/// Every case that the bounds of a value make.
fn cases(schema: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    if let Some(words) = schema["enum"].as_array() {
        cases.extend(words.iter().filter(|word| !word.is_null()).map(|word| (word.clone(), true)));
        cases.push((json!("nonsense"), false));
    } else if is(schema, "string") {
        cases.extend(text_cases(schema));
    } else if is(schema, "array") {
        cases.extend(array_cases(schema));
    } else if is(schema, "integer") || is(schema, "number") {
        let bounds = [("minimum", -1.0), ("maximum", 1.0)];
        for (bound, beyond) in bounds.iter().filter_map(|(name, step)| Some((schema[*name].as_f64()?, step))) {
            cases.extend([(whole(bound), true), (whole(bound + beyond), false)]);
        }
    }
    cases
}

#[expect(clippy::cast_possible_truncation, reason = "the bounds are small whole numbers")]
fn whole(number: f64) -> Value {
    json!(number as i64)
}

fn text_cases(schema: &Value) -> Vec<Case> {
    if has_form_of_its_own(schema) {
        return vec![(json!("nonsense"), false)];
    }
    let length = |name: &str| schema[name].as_u64().and_then(|length| usize::try_from(length).ok());
    let (min, max) = (length("minLength"), length("maxLength"));
    let mut cases: Vec<Case> =
        [min, max].into_iter().flatten().filter_map(|at| Some((json!(text(schema, at)?), true))).collect();
    cases.extend(max.map(|max| (json!(text(schema, max + 1).unwrap_or_else(|| "a".repeat(max + 1))), false)));
    cases.extend(min.filter(|min| *min > 0).map(|min| (json!("a".repeat(min - 1)), false)));
    if let Some(pattern) = schema["pattern"].as_str() {
        let form = Regex::new(pattern).unwrap();
        let formless = ["!", " ", "\u{e4}"].map(|letter| letter.repeat(min.unwrap_or(1).max(1)));
        let formless =
            formless.into_iter().find(|text| !form.is_match(text)).unwrap_or_else(|| panic!("{pattern} takes all"));
        cases.push((json!(formless), false));
    }
    cases
}

/// The nth item that an array can have, where its form is known.
fn item(schema: &Value, n: usize) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words[n % words.len()].clone();
    }
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    let forms = [
        Uuid::from_u128(n as u128 + 1).to_string(),
        format!("{n:03}"),
        format!("{}{}", letter(n / 26), letter(n)),
        format!("a{n}"),
        format!("{:02}", n % 100),
    ];
    let form = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
    let [uuid, digits, ..] = &forms;
    match form {
        _ if schema["format"] == "uuid" => json!(uuid),
        _ if schema["format"] == "email" => json!(format!("{digits}@kunta.example")),
        Some(form) => json!(forms[1..].iter().find(|text| form.is_match(text)).unwrap_or_else(|| panic!("{form}"))),
        None => json!(digits),
    }
}

fn array_cases(schema: &Value) -> Vec<Case> {
    let items = |count: usize| (0..count).map(|n| item(&schema["items"], n)).collect::<Vec<_>>();
    let count = |name: &str| schema[name].as_u64().and_then(|count| usize::try_from(count).ok());
    let mut cases = Vec::new();
    if let Some(max) = count("maxItems") {
        // There are fewer words than items.
        let reachable =
            schema["uniqueItems"] != true || schema["items"]["enum"].as_array().is_none_or(|words| words.len() >= max);
        cases.extend(reachable.then(|| (json!(items(max)), true)));
        cases.push((json!(items(max + 1)), false));
    }
    if let Some(min) = count("minItems").filter(|min| *min > 0) {
        cases.extend([(json!(items(min)), true), (json!(items(min - 1)), false)]);
    }
    if schema["uniqueItems"] == true {
        cases.push((json!([item(&schema["items"], 1), item(&schema["items"], 1)]), false));
    }
    cases
}

fn is_no_bound(at: &str, code: &str) -> bool {
    RULES.iter().any(|rule| rule.constraint == code)
        || OTHER_RULES.iter().any(|(field, rule)| *rule == code && (field.is_empty() || *field == at))
}

/// The rules of input that the answer says are broken here; what the database knows of is another matter.
fn broken<'a>(answer: &'a Answer, at: &str) -> Vec<&'a str> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    let here = errors.filter(|error| {
        let place = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default();
        place == at || place.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')) || format!("{place}/0") == at
    });
    here.map(|error| error["code"].as_str().unwrap()).collect()
}

fn check(operation: &Operation, at: &str, case: &Case, answer: &Answer, wrong: &mut Vec<String>) {
    let (value, taken) = case;
    let broken = broken(answer, at);
    // What can be no parameter is 400.
    let refused = answer.status == 400 || (answer.status == 422 && !broken.is_empty());
    let right = if *taken { broken.iter().all(|code| is_no_bound(at, code)) } else { refused };
    if !right {
        let (value, id) = (value.to_string().chars().take(60).collect::<String>(), &operation.id);
        wrong.push(format!("{id} {at} {value}: taken should be {taken}: {} {broken:?}", answer.status));
    }
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
            // Without a value, there is no such parameter.
            if query.is_empty() {
                continue;
            }
            let answer = client.get(&format!("{path}?{query}")).await;
            check(operation, &parameter.name, &case, &answer, wrong);
        }
    }
}

#[tokio::test]
async fn what_the_document_bounds_the_code_bounds() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    let client = server.coordinator().if_match("*");
    let mut wrong = Vec::new();
    for operation in operations() {
        let path = rows.path(&operation.path);
        check_query(&operation, &client, &path, &mut wrong).await;
        let Some(body) = operation.body.as_ref().filter(|body| body.media_type.ends_with("json")) else { continue };
        let client = client.with("content-type", &body.media_type);
        for (pointer, schema) in places(&body.schema) {
            for case in cases(&schema) {
                let sent = placed(&body.example, &pointer, &case.0).to_string();
                let answer = client.send(operation.method.clone(), &path, Some(sent)).await;
                check(&operation, &pointer, &case, &answer, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{} bounds are not true:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_example_of_a_body_is_valid() {
    let server = Server::start();
    let rows = Rows::of(&server, "049").await;
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        assert!(body.example.is_object(), "{} has no example", operation.id);
        if body.media_type.ends_with("json") {
            let client = server.coordinator().if_match("*").with("content-type", &body.media_type);
            let sent = Some(body.example.to_string());
            let answer = client.send(operation.method.clone(), &rows.path(&operation.path), sent).await;
            let errors = answer.body["errors"].as_array().into_iter().flatten();
            let only_stored = errors.into_iter().all(|error| is_no_bound("", error["code"].as_str().unwrap()));
            assert!(only_stored && ![400, 415].contains(&answer.status), "{}: {}", operation.id, answer.text);
        }
    }
}

/// Else a caller could send a value without end (OWASP API4:2023).
#[test]
fn every_text_and_every_array_of_a_request_is_bounded() {
    let mut unbounded = Vec::new();
    for operation in operations() {
        // What is too long in a header is refused with the head.
        let parameters = operation.parameters.iter().filter(|parameter| parameter.place != "header");
        let parameters = parameters.map(|parameter| (parameter.name.clone(), parameter.schema.clone()));
        let fields = operation.body.iter().flat_map(|body| places(&body.schema));
        for (at, schema) in parameters.chain(fields) {
            let items = &schema["items"];
            for (at, schema) in [(&at, &schema), (&format!("{at}/0"), items)] {
                let text = is(schema, "string") && schema["maxLength"].is_null() && !has_form_of_its_own(schema);
                let array = is(schema, "array") && schema["maxItems"].is_null();
                unbounded.extend((text || array).then(|| format!("{} {at}", operation.id)));
            }
        }
    }
    assert!(unbounded.is_empty(), "without a bound: {}", unbounded.join("\n"));
}
