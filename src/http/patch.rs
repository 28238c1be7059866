//! JSON Merge Patch (RFC 7396).

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Serialize;
use serde_json::Value;

use super::json::{self, Body};
use crate::problem::{Error, Result};

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

    /// What becomes of `current`, checked as a replacement would be.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that the result breaks.
    pub fn apply<T: Body + Serialize>(&self, current: &T) -> Result<T> {
        let mut value = serde_json::to_value(current).map_err(|error| Error::Internal(error.into()))?;
        json_patch::merge(&mut value, &self.0);
        json::from_value(value)
    }
}
