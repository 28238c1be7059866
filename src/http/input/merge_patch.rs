//! JSON Merge Patch (RFC 7396).

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Serialize;
use serde_json::Value;

use super::{json, json::Body};
use crate::problem::{Error, Result, Violation};

/// The media type of a merge patch.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// A merge patch that was read; what it makes of the stored fields is checked like a replacement.
#[derive(Debug)]
pub struct Patch(Value);

impl FromRequest for Patch {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = json::read(request, payload.take(), &[MERGE_PATCH, "application/json"]);
        Box::pin(async move {
            let patch = json::parse(&bytes.await?)?;
            if patch.is_object() { Ok(Self(patch)) } else { Err(Error::at("", "wrong_type", "must be an object")) }
        })
    }
}

impl Patch {
    /// Of these fields.
    pub fn of(fields: serde_json::Map<String, Value>) -> Self {
        Self(Value::Object(fields))
    }

    /// A field that null would not leave out or empty but set to its default is not silently set: who hides a contact
    /// by `visibility` must not show it by a null.
    fn refuse_defaults(&self, patched: &impl Serialize) -> Result<()> {
        let value = serde_json::to_value(patched).map_err(|error| Error::Internal(error.into()))?;
        let removed = self.0.as_object().into_iter().flatten().filter(|(_, change)| change.is_null());
        let set = removed.filter(|(field, _)| value.get(field).is_some_and(|now| !now.is_null() && !now.is_array()));
        let detail = "cannot be left out; write the value that it shall have";
        Error::unless_empty(set.map(|(field, _)| Violation::at(format!("/{field}"), "required", detail)).collect())
    }

    /// What becomes of `current`, checked as a replacement would be.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that the result breaks.
    pub fn apply<T: Body + Serialize>(&self, current: &T) -> Result<T> {
        let mut value = serde_json::to_value(current).map_err(|error| Error::Internal(error.into()))?;
        // Of a field that there is not, null would leave nothing to be told of.
        let nulls = self.0.as_object().into_iter().flatten().filter(|(_, change)| change.is_null());
        let unknown: Vec<_> = nulls.filter(|(name, _)| value.get(name).is_none()).collect();
        json_patch::merge(&mut value, &self.0);
        if let Some(fields) = value.as_object_mut() {
            fields.extend(unknown.into_iter().map(|(name, null)| (name.clone(), null.clone())));
        }
        let patched: T = json::from_value(value)?;
        self.refuse_defaults(&patched)?;
        Ok(patched)
    }
}
