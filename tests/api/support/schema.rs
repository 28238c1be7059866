//! Whether the schema of a value can accept it. The service must refuse every value that its schema cannot accept.

use chrono::{DateTime, Datelike as _, NaiveDate};
use regex::Regex;
use serde_json::{Number, Value, json};

use super::document::has_type;

/// Returns whether a field with this schema can accept these bytes of JSON.
pub(crate) fn json_fits(schema: &Value, json: &[u8]) -> bool {
    // NaN, lone surrogates, bytes that are not UTF-8, and 1e400 are not JSON.
    serde_json::from_slice(json).is_ok_and(|value| fits(schema, &value))
}

/// Returns whether a parameter with this schema can accept these bytes of text.
pub(crate) fn text_fits(schema: &Value, text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    // A repeated parameter adds an item each time.
    let schema = if has_type(schema, "array") { &schema["items"] } else { schema };
    if has_type(schema, "string") {
        fits(schema, &json!(text))
    } else if has_type(schema, "integer") {
        text.parse::<i64>().is_ok_and(|number| fits(schema, &json!(number)))
    } else {
        assert!(has_type(schema, "boolean"), "{schema}");
        ["true", "false"].contains(&text)
    }
}

/// A null removes a field or equals leaving it out. A different rule refuses it where it does neither.
pub(crate) fn fits(schema: &Value, value: &Value) -> bool {
    if let Some(words) = schema["enum"].as_array() {
        return value.is_null() || words.contains(value);
    }
    match value {
        Value::Null => true,
        Value::Bool(_) => has_type(schema, "boolean"),
        Value::Number(number) => number_fits(schema, number),
        Value::String(text) => has_type(schema, "string") && string_fits(schema, text),
        Value::Array(items) => has_type(schema, "array") && items_fit(schema, items),
        Value::Object(fields) => {
            let fit = |(name, value)| schema["properties"].get(name).is_some_and(|known| fits(known, value));
            has_type(schema, "object") && fields.iter().all(fit)
        }
    }
}

fn number_fits(schema: &Value, number: &Number) -> bool {
    let Some(number) = number.as_f64() else { return false };
    // 5.0 is an integer too (JSON Schema Validation, section 6.1.1).
    let kind = has_type(schema, "number") || has_type(schema, "integer") && number.fract() == 0.0;
    let most = if schema["format"] == "int32" { i32::MAX.into() } else { 9e18 };
    let (least, most) = (schema["minimum"].as_f64().unwrap_or(-most), schema["maximum"].as_f64().unwrap_or(most));
    kind && (least..=most).contains(&number)
}

fn string_fits(schema: &Value, text: &str) -> bool {
    let bound = |name: &str| schema[name].as_u64().and_then(|length| usize::try_from(length).ok());
    let length = text.chars().count();
    let form = match schema["format"].as_str() {
        Some("date") => NaiveDate::parse_from_str(text, "%F").is_ok_and(|day| is_supported(day.year())),
        Some("date-time") => DateTime::parse_from_rfc3339(text).is_ok_and(|time| is_supported(time.to_utc().year())),
        Some("uuid") => uuid::Uuid::try_parse(text).is_ok(),
        _ => schema["pattern"].as_str().is_none_or(|form| Regex::new(form).unwrap().is_match(text)),
    };
    let fits = bound("minLength").is_none_or(|least| length >= least) && bound("maxLength").is_none_or(|m| length <= m);
    form && fits && !text.contains('\0')
}

/// The service stores dates and times only of these years, in which calendars and PostgreSQL agree.
fn is_supported(year: i32) -> bool {
    (1900..=2199).contains(&year)
}

fn items_fit(schema: &Value, items: &[Value]) -> bool {
    let many = schema["maxItems"].as_u64().is_some_and(|most| items.len() as u64 > most);
    let twice = schema["uniqueItems"] == true && (1..items.len()).any(|n| items[..n].contains(&items[n]));
    let fit = items.iter().all(|item| !item.is_null() && fits(&schema["items"], item));
    fit && !many && !twice
}
