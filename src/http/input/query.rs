//! Reading the parameters of a query string.

use std::{borrow::Cow, collections::HashMap};

use garde::Validate;
use serde::de::DeserializeOwned;

use super::{
    rule_messages::{has_code, violation_of_parameter},
    serde_messages::detail_of,
};
use crate::problem::{Error, Result, Violation};

/// The parameter that names the resources to include in a response. It is not a filter.
pub(crate) const INCLUDE: &str = "include";

/// The maximum number of values of one parameter.
const MAX_VALUES: usize = 100;

/// Splits a query into its parameters, as names and values.
///
/// # Errors
/// [`Error::Invalid`] when a value is empty or has a NUL, or when a parameter is repeated too often.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let invalid = |name: &str, code: &'static str, detail: Cow<'static, str>| {
        Err(Error::Invalid(vec![Violation::of_parameter(name, code, detail)]))
    };
    let mut counts = HashMap::<_, usize>::new();
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().map(|(name, value)| {
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        if *count > MAX_VALUES {
            return invalid(&name, "too_long", format!("must appear at most {MAX_VALUES} times").into());
        }
        match value.as_str() {
            "" if name != INCLUDE => invalid(&name, "too_short", "must not be empty; leave it out instead".into()),
            value if value.contains('\0') => {
                invalid(&name, "nul", "must not contain the character NUL (U+0000)".into())
            }
            _ => Ok((name, value)),
        }
    });
    pairs.collect()
}

/// Reads parameters into a type. The error names every parameter that cannot be read or breaks a rule.
///
/// # Errors
/// [`Error::Invalid`], and [`Error::Malformed`] when the query as a whole cannot be read.
pub(crate) fn read<T: DeserializeOwned + Validate<Context = ()>>(pairs: &[(String, String)]) -> Result<T> {
    let (parsed, mut violations) = read_all::<T>(pairs.to_vec())?;
    if let Err(report) = parsed.validate() {
        violations.extend(report.iter().map(|(path, error)| violation_of_parameter(first_part(path), error.message())));
    }
    Error::unless_empty(violations).map(|()| parsed)
}

/// Reads the parameters that can be read, and returns a violation for each of the others. serde stops at the first
/// parameter that it cannot read, so it reads again without that one.
fn read_all<T: DeserializeOwned>(mut readable: Vec<(String, String)>) -> Result<(T, Vec<Violation>)> {
    let mut violations = Vec::new();
    loop {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&readable).finish();
        let parameters = serde_html_form::Deserializer::new(url::form_urlencoded::parse(encoded.as_bytes()));
        let error = match serde_path_to_error::deserialize(parameters) {
            Ok(parsed) => return Ok((parsed, violations)),
            Err(error) => error,
        };
        let (name, message) = (first_part(error.path()), error.inner().to_string());
        let (refused, others): (Vec<_>, Vec<_>) = readable.into_iter().partition(|(known, _)| *known == name);
        if refused.is_empty() {
            let detail = format!("the query cannot be read: {}", detail_of(&message));
            return Err(Error::Malformed { code: "malformed_query", detail });
        }
        violations.push(unreadable(name, &message, &refused));
        readable = others;
    }
}

/// Returns the violation of a parameter with these values that serde could not read for this reason.
fn unreadable(name: String, message: &str, values: &[(String, String)]) -> Violation {
    let mut violation = if has_code(message) {
        violation_of_parameter(name, message)
    } else {
        Violation::of_parameter(name, "invalid_value", detail_of(message))
    };
    if let Some(hint) = hint(values) {
        violation.detail.to_mut().push_str(hint);
    }
    violation
}

/// Returns a hint about a frequent mistake in values that cannot be read.
fn hint(values: &[(String, String)]) -> Option<&'static str> {
    let has = |mark: char| values.iter().any(|(_, value)| value.contains(mark));
    if has(',') {
        Some("; to send several values, repeat the parameter")
    } else if has(' ') && has(':') {
        Some("; in a query, write + as %2B")
    } else {
        None
    }
}

/// Returns the parameter of a path such as `theme[0]`.
fn first_part(path: &impl ToString) -> String {
    path.to_string().split(['.', '[']).next().unwrap_or_default().to_owned()
}
