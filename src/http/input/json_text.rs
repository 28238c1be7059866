//! Parsing the text of a JSON body, and the rules that apply to every body.

use serde::Deserialize as _;
use serde_json::{Number, Value};

use super::json_pointers::push_key;
use crate::{
    domain::unique_keys::UniqueKeys,
    problem::{Error, Result, Violation},
};

/// The maximum number of items of any array in a body. The rules of most fields allow fewer.
const MAX_ITEMS: usize = 1000;
/// A floating point number represents every whole number up to this one: 2^53.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Returns the text without a byte order mark at its start, which RFC 8259, section 8.1, allows to ignore.
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// Parses JSON without duplicate keys, with at most 128 levels, without NUL in any string and without very long arrays.
///
/// # Errors
/// [`Error::Malformed`] when the text cannot be parsed, [`Error::Invalid`] for a NUL or a very long array.
pub(super) fn parse(bytes: &[u8]) -> Result<Value> {
    let mut json = serde_json::Deserializer::from_slice(without_bom(bytes));
    let parsed = UniqueKeys::deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    let UniqueKeys(mut value) = parsed.map_err(|error| Error::Malformed {
        code: "malformed_json",
        detail: format!("the body cannot be read as JSON: {error}; correct it and send it again"),
    })?;
    convert_whole_numbers(&mut value);
    match first_violation(&value, &mut String::new()) {
        None => Ok(value),
        Some(violation) => Err(Error::Invalid(vec![violation])),
    }
}

/// Converts numbers such as `5.0` into whole numbers. JSON has one kind of number, in which 5 and 5.0 are equal.
#[expect(clippy::cast_possible_truncation, reason = "the number is whole and small enough")]
fn convert_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= LARGEST_WHOLE);
            if let Some(float) = float {
                *number = Number::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(convert_whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(convert_whole_numbers),
        _ => {}
    }
}

/// Returns the first NUL, which PostgreSQL cannot store in a text, or the first very long array. The others are not
/// reported, because the pointer of each violation has all keys on its path: a small body could get a large response.
fn first_violation(value: &Value, pointer: &mut String) -> Option<Violation> {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            Some(Violation::at(&**pointer, "nul", "must not contain the character NUL (U+0000)"))
        }
        Value::Array(items) if items.len() > MAX_ITEMS => {
            Some(Violation::at(&**pointer, "too_long", format!("must have at most {MAX_ITEMS} items")))
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            pointer.truncate(length);
            push_key(pointer, &index.to_string());
            first_violation(item, pointer)
        }),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            pointer.truncate(length);
            push_key(pointer, key);
            first_violation(item, pointer)
        }),
        _ => None,
    }
}
