//! Reading a JSON body into a type. The response to a body that breaks rules names all of them, each with its JSON pointer.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::PartialSchema;

use super::{
    body::read_body,
    json_pointers::{of_garde, of_ignored, of_serde},
    json_text::parse,
    rule_messages::{has_code, violation_at},
    serde_messages::detail_of,
};
use crate::{
    http::examples::example_of,
    problem::{Error, Result, Violation, body::MAX_ERRORS},
};

/// A type that can be read from a body.
pub trait Body: DeserializeOwned + Validate<Context = ()> + PartialSchema + 'static {
    /// Fields that the service sets. They are accepted and ignored, so that callers can send back what they read.
    const SET_BY_SERVICE: &'static [&'static str] = &[];
    /// The JSON pointers of the fields that are objects, outer ones first. serde alone would accept an array for an object.
    const OBJECTS: &'static [&'static str] = &[];
    /// Fields that were added to the API after its first version. A `PUT` without such a field leaves it unchanged; see
    /// [`super::replacement::Replacement`].
    const LATER: &'static [&'static str] = &[];
}

/// As an extractor: a body that satisfies every rule that can be checked without the database. As a response: a resource.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Body> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read_body(request, payload.take(), &["application/json"]);
        Box::pin(async move { Ok(Self(from_value(parse(&bytes.await?)?)?)) })
    }
}

/// Reads a `T`. If fields cannot be read or are unknown, the error names all of them; otherwise it names every broken
/// validation rule.
///
/// # Errors
/// [`Error::Invalid`].
pub fn from_value<T: Body>(mut value: Value) -> Result<T> {
    let Some(fields) = value.as_object_mut() else {
        return Err(Error::at("", "wrong_type", "must be an object"));
    };
    fields.retain(|name, _| !T::SET_BY_SERVICE.contains(&name.as_str()));
    let mut unreadable = Vec::new();
    let mut examples = Examples::default();
    for pointer in T::OBJECTS {
        if value.pointer(pointer).is_some_and(|found| !found.is_object() && !found.is_null()) {
            unreadable.push(Violation::at(*pointer, "wrong_type", "must be an object"));
            examples.insert::<T>(&mut value, pointer);
        }
    }
    loop {
        let (body, unknown) = read_once::<T>(&value);
        match body {
            Ok(body) if unreadable.is_empty() => {
                let violations: Vec<_> = unknown.into_iter().chain(broken_rules(&body)).collect();
                return Error::unless_empty(violations).map(|()| body);
            }
            // serde stops at the first field that it cannot read. An example in place of that field lets it read on.
            Err(found) if examples.insert::<T>(&mut value, found.pointer.as_deref().unwrap_or_default()) => {
                unreadable.push(found);
            }
            body => {
                unreadable.extend(body.err());
                unreadable.extend(unknown);
                return Err(Error::Invalid(unreadable));
            }
        }
    }
}

/// The example of a body. It is created when the first unreadable field is found.
#[derive(Default)]
struct Examples(Option<Value>);

impl Examples {
    /// Replaces the outermost field of the pointer with its example. Returns false when there is no example, or when the
    /// field already has that value.
    fn insert<T: Body>(&mut self, value: &mut Value, pointer: &str) -> bool {
        let example = self.0.get_or_insert_with(example_of::<T>);
        let name = pointer.split('/').nth(1).unwrap_or_default();
        match (example.get(name), value.as_object_mut()) {
            (Some(example), Some(fields)) => fields.insert(name.to_owned(), example.clone()).as_ref() != Some(example),
            _ => false,
        }
    }
}

/// Returns the body, or the first field that serde cannot read; and the fields that a `T` does not have.
fn read_once<T: Body>(value: &Value) -> (Result<T, Violation>, Vec<Violation>) {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let parsed: Result<T, serde_json::Error> = serde_ignored::deserialize(tracked, |path| {
        if unknown.len() < MAX_ERRORS {
            let detail = "there is no such field; leave it out";
            unknown.push(Violation::at(of_ignored(&path), "unknown_field", detail));
        }
    });
    (parsed.map_err(|error| unreadable(of_serde(&track.path()), &error.to_string())), unknown)
}

fn broken_rules(body: &impl Validate<Context = ()>) -> Vec<Violation> {
    let Err(report) = body.validate() else { return Vec::new() };
    report.iter().map(|(path, error)| violation_at(&of_garde(path), error.message())).collect()
}

/// Returns the violation of a field that serde could not read for this reason.
fn unreadable(pointer: String, message: &str) -> Violation {
    if has_code(message) {
        return violation_at(&pointer, message);
    }
    match message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => Violation::at(format!("{pointer}/{field}"), "required", "is required"),
        None => Violation::at(pointer, "wrong_type", detail_of(message)),
    }
}
