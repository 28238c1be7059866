//! The test values that follow from the bounds of a schema.

use regex::Regex;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{document::has_type, rows::ID};

/// A value, and whether the service must accept it.
pub(super) type Case = (Value, bool);

/// Returns whether the format of the schema limits the length by itself.
pub(super) fn has_fixed_length(schema: &Value) -> bool {
    ["uuid", "date", "date-time"].iter().any(|format| schema["format"] == *format) || schema["enum"].is_array()
}

/// Returns a text of this length that matches the schema's pattern, where one is known.
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

/// Dates at both ends of the supported years, and their neighbours.
const DAYS: [(&str, bool); 6] = [
    ("nonsense", false),
    ("2020-02-30", false),
    ("1899-12-31", false),
    ("1900-01-01", true),
    ("2199-12-31", true),
    ("2200-01-01", false),
];
/// Times at both ends of the supported years, and their neighbours.
const TIMES: [(&str, bool); 9] = [
    ("nonsense", false),
    ("2020-05-19T08:00:00", false),
    ("1899-12-31T23:59:59.999999Z", false),
    ("1900-01-01T00:00:00+00:01", false),
    ("1900-01-01T00:00:00Z", true),
    ("2199-12-31T23:59:59.999999Z", true),
    ("2200-01-01T00:00:59+00:01", true),
    ("2200-01-01T00:00:00Z", false),
    ("2199-12-31T23:59:59-00:01", false),
];

/// Returns every case that follows from the bounds of a schema.
pub(super) fn cases(schema: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    if let Some(words) = schema["enum"].as_array() {
        cases.extend(words.iter().filter(|word| !word.is_null()).map(|word| (word.clone(), true)));
        cases.push((json!("nonsense"), false));
    } else if has_type(schema, "string") {
        cases.extend(text_cases(schema));
    } else if has_type(schema, "array") {
        cases.extend(array_cases(schema));
    } else if has_type(schema, "integer") || has_type(schema, "number") {
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
    match schema["format"].as_str() {
        Some("date") => return DAYS.map(|(day, taken)| (json!(day), taken)).to_vec(),
        Some("date-time") => return TIMES.map(|(time, taken)| (json!(time), taken)).to_vec(),
        Some("uuid") => return vec![(json!("nonsense"), false), (json!(ID), true)],
        _ => {}
    }
    let length = |name: &str| schema[name].as_u64().and_then(|length| usize::try_from(length).ok());
    let (min, max) = (length("minLength"), length("maxLength"));
    let mut cases: Vec<Case> =
        [min, max].into_iter().flatten().filter_map(|at| Some((json!(text(schema, at)?), true))).collect();
    // A character of four bytes counts as one character.
    let wide = max.map(|max| "\u{1f600}".repeat(max));
    cases.extend(wide.filter(|text| is_any_text(schema, text)).map(|text| (json!(text), true)));
    cases.extend(max.map(|max| (json!(text(schema, max + 1).unwrap_or_else(|| "a".repeat(max + 1))), false)));
    cases.extend(min.filter(|min| *min > 0).map(|min| (json!("a".repeat(min - 1)), false)));
    if let Some(pattern) = schema["pattern"].as_str() {
        let form = Regex::new(pattern).unwrap();
        let unmatched = ["!", " ", "\u{e4}"].map(|letter| letter.repeat(min.unwrap_or(1).max(1)));
        let unmatched = unmatched
            .into_iter()
            .find(|text| !form.is_match(text))
            .unwrap_or_else(|| panic!("{pattern} matches every candidate"));
        cases.push((json!(unmatched), false));
    }
    cases
}

/// Returns whether a schema has no format, and its pattern, if any, matches this text.
fn is_any_text(schema: &Value, text: &str) -> bool {
    let form = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
    schema["format"].is_null() && form.is_none_or(|form| form.is_match(text))
}

/// Returns the nth item of an array with this item schema, where a form is known.
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
        // An enum has fewer values than the array may have items.
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
