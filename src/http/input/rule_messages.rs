//! Turns the messages of broken validation rules into codes and details. A message is one of garde's own, or it has the form
//! `code|detail` and comes from a rule of this service.

use std::borrow::Cow;

use crate::problem::Violation;

/// garde's messages by their beginnings, each with the code and the detail of the violation. The bound follows.
const BOUNDS: &[(&str, &str, &str, &str)] = &[
    ("length is lower than ", "too_short", "must have at least ", " characters or items"),
    ("length is greater than ", "too_long", "must have at most ", " characters or items"),
    ("lower than ", "too_small", "must be at least ", ""),
    ("greater than ", "too_large", "must be at most ", ""),
];

/// Returns the violation of a rule by a field of the body.
pub(super) fn violation_at(pointer: &str, message: &str) -> Violation {
    let (code, detail) = code_and_detail(message);
    Violation { pointer: Some(pointer.to_owned()), parameter: None, header: None, code, detail }
}

/// Returns the violation of a rule by a query parameter.
pub(super) fn violation_of_parameter(name: String, message: &str) -> Violation {
    let (code, detail) = code_and_detail(message);
    Violation { pointer: None, parameter: Some(name), header: None, code, detail }
}

/// Returns whether a message has the form `code|detail`.
pub(super) fn has_code(message: &str) -> bool {
    message.split_once('|').is_some_and(|(code, _)| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

fn code_and_detail(message: &str) -> (Cow<'static, str>, Cow<'static, str>) {
    if let Some((code, detail)) = message.split_once('|') {
        return (code.to_owned().into(), detail.to_owned().into());
    }
    let bound = BOUNDS.iter().find_map(|(start, code, detail, unit)| {
        Some((*code, format!("{detail}{}{unit}", message.strip_prefix(start)?)))
    });
    match bound {
        Some((code, detail)) => (code.into(), detail.into()),
        None => ("invalid_value".into(), message.to_owned().into()),
    }
}
