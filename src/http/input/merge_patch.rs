//! JSON Merge Patch (RFC 7396) in the body of a `PATCH`.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    body::read_body,
    json::{Body, from_value},
    json_text::parse,
};
use crate::problem::{Error, Result, Violation};

/// The media types of a merge patch.
pub const MEDIA_TYPES: &[&str] = &["application/merge-patch+json", "application/json"];

/// A merge patch. It is checked only when it is applied: the patched fields must satisfy the rules of a replacement.
#[derive(Debug)]
pub struct Patch(Map<String, Value>);

impl FromRequest for Patch {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read_body(request, payload.take(), MEDIA_TYPES);
        Box::pin(async move {
            match parse(&bytes.await?)? {
                Value::Object(fields) => Ok(Self(fields)),
                _ => Err(Error::at("", "wrong_type", "must be an object")),
            }
        })
    }
}

impl Patch {
    /// Creates a patch of these fields.
    pub fn of(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Returns the fields after the patch, checked as a replacement is.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that the result breaks.
    pub fn apply<T: Body + Serialize>(&self, current: &T) -> Result<T> {
        let mut value = to_json(current)?;
        // Merging a null removes the field. An unknown field is put back, so that it is reported.
        let unknown: Vec<_> = self.removed().filter(|name| value.get(name).is_none()).cloned().collect();
        json_patch::merge(&mut value, &Value::Object(self.0.clone()));
        if let Some(fields) = value.as_object_mut() {
            fields.extend(unknown.into_iter().map(|name| (name, Value::Null)));
        }
        let patched: T = from_value(value)?;
        self.refuse_defaults(&patched)?;
        Ok(patched)
    }

    /// Refuses a null that would set a field to its default instead of removing or emptying it. A null for `visibility`,
    /// for example, must not make a hidden contact visible.
    fn refuse_defaults(&self, patched: &impl Serialize) -> Result<()> {
        let value = to_json(patched)?;
        let has_default = |name: &&String| value.get(name).is_some_and(|now| !now.is_null() && !now.is_array());
        let detail = "cannot be removed; send a value instead of null";
        let violations =
            self.removed().filter(has_default).map(|name| Violation::at(format!("/{name}"), "required", detail));
        Error::unless_empty(violations.collect())
    }

    /// Returns the names of the fields that the patch sets to null.
    fn removed(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, change)| change.is_null()).map(|(name, _)| name)
    }
}

fn to_json(fields: &impl Serialize) -> Result<Value> {
    serde_json::to_value(fields).map_err(|error| Error::Internal(error.into()))
}
