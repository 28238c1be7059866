//! Reading a JSON body: every rule that it breaks is told at once, each with its pointer.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use garde::Validate;
use serde::{Deserialize as _, de::DeserializeOwned};
use serde_json::Value;
use utoipa::PartialSchema;

use super::{duplicate_keys::Unique, serde_messages as wording};

use crate::problem::{Error, Result, Violation, body::MOST_ERRORS};

/// The largest body, in bytes: a description of 10,000 characters in each of three languages fits well.
pub const BODY_LIMIT: usize = 256 * 1024;
/// How many items an array has at most, whatever it is of; the rules of a field allow fewer.
const MOST_ITEMS: usize = 1000;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What can be read from a body.
pub trait Body: DeserializeOwned + Validate<Context = ()> + PartialSchema + 'static {
    /// Fields that the service sets: accepted and ignored, so that what was read can be sent back.
    const SET_BY_SERVICE: &'static [&'static str] = &[];
    /// JSON pointers of the fields that are objects, outer ones first. serde would take an array for one, too.
    const OBJECTS: &'static [&'static str] = &[];
    /// Fields that were added to the API after its first version. A `PUT` that does not name one leaves it as it is; see
    /// [`super::replacement::Replacement`].
    const LATER: &'static [&'static str] = &[];
}

/// A body that was read and keeps every rule that can be checked without the database; or an answer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Body> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload.take(), &["application/json"]);
        Box::pin(async move { Ok(Self(from_value(parse(&bytes.await?)?)?)) })
    }
}

/// Reads a body of one of these media types, within the limits of size and time.
pub(crate) fn read(
    request: &HttpRequest,
    mut payload: Payload,
    media_types: &[&'static str],
) -> impl Future<Output = Result<Bytes>> + use<> {
    let accepted = media_types
        .iter()
        .any(|known| request.content_type().eq_ignore_ascii_case(known))
        .then_some(())
        .ok_or(Error::UnsupportedMediaType(media_types[0]));
    let encoded = request.headers().contains_key(header::CONTENT_ENCODING);
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    async move {
        accepted?;
        if encoded {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        if announced.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Error::PayloadTooLarge(BODY_LIMIT));
        }
        let all = async {
            let mut body = BytesMut::with_capacity(announced.unwrap_or(1024));
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|_| malformed("unreadable_body", "the body broke off; send it again"))?;
                if body.len() + chunk.len() > BODY_LIMIT {
                    return Err(Error::PayloadTooLarge(BODY_LIMIT));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body.freeze())
        };
        tokio::time::timeout(BODY_TIME, all).await.unwrap_or(Err(Error::BodyTimeout))
    }
}

fn malformed(code: &'static str, detail: impl Into<String>) -> Error {
    Error::Malformed { code, detail: detail.into() }
}

/// Parses JSON: no duplicate keys, at most 128 levels, no NUL in any string, no very long array.
///
/// # Errors
/// [`Error::Malformed`] when it does not parse, [`Error::Invalid`] for what else no body may have.
pub(super) fn parse(bytes: &[u8]) -> Result<Value> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Unique(value) = Unique::deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| malformed("malformed_json", format!("the body is not JSON that can be read: {error}")))?;
    match refused(&value, &mut String::new()) {
        None => Ok(value),
        Some(violation) => Err(Error::Invalid(vec![violation])),
    }
}

/// Reads a `T`: every field that cannot be read or is not known is told at once; else every rule that is broken.
///
/// # Errors
/// [`Error::Invalid`].
pub fn from_value<T: Body>(mut value: Value) -> Result<T> {
    let Some(fields) = value.as_object_mut() else {
        return Err(Error::at("", "wrong_type", "must be an object"));
    };
    fields.retain(|name, _| !T::SET_BY_SERVICE.contains(&name.as_str()));
    let (mut unreadable, mut example) = (Vec::new(), None);
    let mut stand_in = |value: &mut Value, pointer: &str| {
        stand_in(value, pointer, example.get_or_insert_with(crate::http::examples::example_of::<T>))
    };
    for pointer in T::OBJECTS {
        if value.pointer(pointer).is_some_and(|found| !found.is_object() && !found.is_null()) {
            unreadable.push(Violation::at(*pointer, "wrong_type", "must be an object"));
            stand_in(&mut value, pointer);
        }
    }
    loop {
        let (body, unknown) = read_once::<T>(&value);
        match body {
            Ok(body) if unreadable.is_empty() => {
                let report = body.validate().err();
                let broken = report.iter().flat_map(garde::Report::iter);
                let broken = broken.map(|(path, error)| broken_rule(&pointer(path), error.message()));
                let violations: Vec<_> = unknown.into_iter().chain(broken).collect();
                return if violations.is_empty() { Ok(body) } else { Err(Error::Invalid(violations)) };
            }
            // serde stops at the first: read on, with what can be read in its place.
            Err(found) if stand_in(&mut value, found.pointer.as_deref().unwrap_or_default()) => {
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

/// What serde makes of a body, or the first field that it cannot read; and the fields that a `T` does not have.
fn read_once<T: Body>(value: &Value) -> (std::result::Result<T, Violation>, Vec<Violation>) {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let parsed: Result<T, serde_json::Error> = serde_ignored::deserialize(tracked, |path| {
        if unknown.len() < MOST_ERRORS {
            unknown.push(Violation::at(
                ignored_pointer(&path),
                "unknown_field",
                "there is no such field; leave it out",
            ));
        }
    });
    (parsed.map_err(|error| unreadable(path_pointer(&track.path()), &error.to_string())), unknown)
}

/// Puts the example of a field in its place; false when there is none, or it stands there already.
fn stand_in(value: &mut Value, pointer: &str, example: &Value) -> bool {
    let name = pointer.split('/').nth(1).unwrap_or_default();
    match (example.get(name), value.as_object_mut()) {
        (Some(example), Some(fields)) => fields.insert(name.to_owned(), example.clone()).as_ref() != Some(example),
        _ => false,
    }
}

/// A message of garde, or one of ours in the form `code|detail`, as a violation.
pub(super) fn broken_rule(pointer: &str, message: &str) -> Violation {
    if let Some((code, detail)) = message.split_once('|') {
        return Violation {
            pointer: Some(pointer.into()),
            parameter: None,
            header: None,
            code: code.to_owned().into(),
            detail: detail.to_owned().into(),
        };
    }
    let told = [
        ("length is lower than ", "too_short", "must have at least "),
        ("length is greater than ", "too_long", "must have at most "),
        ("lower than ", "too_small", "must be at least "),
        ("greater than ", "too_large", "must be at most "),
    ];
    let Some((bound, code, detail)) =
        told.iter().find_map(|(start, code, detail)| Some((message.strip_prefix(start)?, *code, *detail)))
    else {
        let code = if message.starts_with("not a valid email") { "invalid_email" } else { "invalid_value" };
        return Violation::at(pointer, code, message.to_owned());
    };
    let unit = if code.ends_with("short") || code.ends_with("long") { " characters or items" } else { "" };
    Violation::at(pointer, code, format!("{detail}{bound}{unit}"))
}

/// garde writes a path as `themes[0].fi`.
fn pointer(path: &garde::Path) -> String {
    let mut pointer = String::new();
    for part in path.to_string().split(['.', '[']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(part.trim_end_matches(']'));
    }
    pointer
}

fn path_pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => push_key(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_key(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        pointer
    })
}

fn ignored_pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as P;
    match path {
        P::Root => String::new(),
        P::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        P::Map { parent, key } => {
            let mut pointer = ignored_pointer(parent);
            push_key(&mut pointer, key);
            pointer
        }
        P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => ignored_pointer(parent),
    }
}

fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

/// A message of serde, or one of ours in the form `code|detail`, as a violation.
fn unreadable(pointer: String, message: &str) -> Violation {
    if has_code(message) {
        return broken_rule(&pointer, message);
    }
    match message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => Violation::at(format!("{pointer}/{field}"), "required", "is required"),
        None => Violation::at(pointer, "wrong_type", wording::told(message)),
    }
}

/// Whether this is a message of ours in the form `code|detail`.
pub(super) fn has_code(message: &str) -> bool {
    message.split_once('|').is_some_and(|(code, _)| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// The first thing that no body may have: a NUL, which PostgreSQL takes in no text, or a very long array. Only the first, or a
/// small body would make a large answer: each is told with all the keys that lead to it.
fn refused(value: &Value, pointer: &mut String) -> Option<Violation> {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            Some(Violation::at(&**pointer, "nul", "must not contain the character NUL (U+0000)"))
        }
        Value::Array(items) if items.len() > MOST_ITEMS => {
            Some(Violation::at(&**pointer, "too_long", format!("must have at most {MOST_ITEMS} items")))
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            pointer.truncate(length);
            push_key(pointer, &index.to_string());
            refused(item, pointer)
        }),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            pointer.truncate(length);
            push_key(pointer, key);
            refused(item, pointer)
        }),
        _ => None,
    }
}
