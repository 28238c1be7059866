//! Reading the parameters of a query string.

use std::collections::HashMap;

use garde::Validate;
use serde::de::DeserializeOwned;

use super::{
    json::{broken_rule, has_code},
    serde_messages as wording,
};
use crate::problem::{Error, Result, Violation};

/// The parameter that says what to send along; it chooses no rows.
pub(crate) const INCLUDE: &str = "include";

/// How many values a parameter can have.
const MOST_VALUES: usize = 100;

fn invalid(name: &str, code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Invalid(vec![Violation::of_parameter(name, code, detail)])
}

/// The parameters of a query, names and values.
///
/// # Errors
/// [`Error::Invalid`] when a value is empty or has a NUL, or when a parameter is repeated too often.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let mut times = HashMap::<_, usize>::new();
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().map(|(name, value)| {
        let times = times.entry(name.clone()).or_default();
        *times += 1;
        if *times > MOST_VALUES {
            return Err(invalid(&name, "too_long", format!("must not stand there more than {MOST_VALUES} times")));
        }
        match value.as_str() {
            "" if name != INCLUDE => Err(invalid(&name, "too_short", "must not be empty; leave it out instead")),
            value if value.contains('\0') => Err(invalid(&name, "nul", "must not contain the character NUL (U+0000)")),
            _ => Ok((name, value)),
        }
    });
    pairs.collect()
}

/// Reads parameters, telling every one that breaks a rule.
///
/// # Errors
/// [`Error::Invalid`], and [`Error::Malformed`] when they cannot be read at all.
pub(crate) fn read<T: DeserializeOwned + Validate<Context = ()>>(pairs: &[(String, String)]) -> Result<T> {
    let mut readable = pairs.to_vec();
    let mut violations = Vec::new();
    // One parameter that cannot be read ends the reading: go on without it, so that the others are told too.
    let parsed: T = loop {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&readable).finish();
        let parameters = serde_html_form::Deserializer::new(url::form_urlencoded::parse(encoded.as_bytes()));
        let error = match serde_path_to_error::deserialize(parameters) {
            Ok(parsed) => break parsed,
            Err(error) => error,
        };
        let (name, message) = (first_part(error.path()), error.inner().to_string());
        let (given, others): (Vec<_>, Vec<_>) = readable.into_iter().partition(|(known, _)| *known == name);
        readable = others;
        if given.is_empty() {
            let detail = format!("the query cannot be read: {}", wording::told(&message));
            return Err(Error::Malformed { code: "malformed_query", detail });
        }
        violations.push(if has_code(&message) {
            Violation { pointer: None, parameter: Some(name), ..broken_rule("", &message) }
        } else {
            Violation::of_parameter(name, "invalid_value", wording::told(&message))
        });
        if let (Some(hint), Some(told)) = (hint(&given), violations.last_mut()) {
            told.detail.to_mut().push_str(hint);
        }
    };
    if let Err(report) = parsed.validate() {
        violations.extend(report.iter().map(|(path, error)| {
            let rule = broken_rule("", error.message());
            Violation { pointer: None, parameter: Some(first_part(path)), ..rule }
        }));
    }
    if violations.is_empty() { Ok(parsed) } else { Err(Error::Invalid(violations)) }
}

/// What is easily meant by values that cannot be read.
fn hint(given: &[(String, String)]) -> Option<&'static str> {
    let has = |mark: char| given.iter().any(|(_, value)| value.contains(mark));
    if has(',') {
        Some("; for several values repeat the parameter")
    } else if has(' ') && has(':') {
        Some("; in a query a + is written %2B")
    } else {
        None
    }
}

/// The parameter of a path such as `theme[0]`.
fn first_part(path: &impl ToString) -> String {
    path.to_string().split(['.', '[']).next().unwrap_or_default().to_owned()
}
