//! The body of a `PUT`.

use std::{collections::HashSet, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Serialize;
use serde_json::Value;

use super::{
    body::read_body,
    json::{Body, from_value},
    json_text::parse,
};
use crate::problem::{Error, Result};

/// The new fields of a stored row, as a `PUT` sends them.
///
/// `/v1` only grows: a client that was written before a field existed sends `PUT` bodies without it, and must not reset it.
/// So the fields in [`Body::LATER`] that the body leaves out keep their stored values.
#[derive(Debug)]
pub struct Replacement<T> {
    fields: T,
    left_out: Vec<&'static str>,
    named: HashSet<String>,
}

impl<T: Body> FromRequest for Replacement<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read_body(request, payload.take(), &["application/json"]);
        Box::pin(async move { Self::from_value(parse(&bytes.await?)?) })
    }
}

impl<T: Body> Replacement<T> {
    fn from_value(body: Value) -> Result<Self> {
        let named: HashSet<_> = body.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect();
        let left_out = T::LATER.iter().copied().filter(|field| !named.contains(*field)).collect();
        Ok(Self { fields: from_value(body)?, left_out, named })
    }

    /// Returns whether the body has this field.
    pub fn names(&self, field: &str) -> bool {
        self.named.contains(field)
    }
}

impl<T: Body + Serialize> Replacement<T> {
    /// Returns the new fields. The later fields that the body left out are taken from `current`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a stored value conflicts with the new ones.
    pub fn apply(self, current: &T) -> Result<T> {
        if self.left_out.is_empty() {
            return Ok(self.fields);
        }
        let (mut new, stored) = (to_value(&self.fields)?, to_value(current)?);
        for field in self.left_out {
            new[field] = stored[field].clone();
        }
        from_value(new)
    }
}

fn to_value(fields: &impl Serialize) -> Result<Value> {
    serde_json::to_value(fields).map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, garde::Validate)]
    struct Fields {
        #[garde(skip)]
        name: String,
        #[serde(default)]
        #[garde(skip)]
        tags: Vec<String>,
        #[garde(skip)]
        note: Option<String>,
    }

    impl Body for Fields {
        const LATER: &'static [&'static str] = &["tags", "note"];
    }

    fn replaced(body: Value) -> Fields {
        let current = Fields { name: "old".into(), tags: vec!["a".into()], note: Some("stored".into()) };
        Replacement::<Fields>::from_value(body).unwrap().apply(&current).unwrap()
    }

    #[test]
    fn a_later_field_that_the_body_leaves_out_keeps_its_stored_value() {
        let expected = Fields { name: "new".into(), tags: vec!["a".into()], note: Some("stored".into()) };
        assert_eq!(replaced(json!({"name": "new"})), expected);
    }

    #[test]
    fn null_and_an_empty_list_are_written() {
        let expected = Fields { name: "new".into(), tags: Vec::new(), note: None };
        assert_eq!(replaced(json!({"name": "new", "tags": [], "note": null})), expected);
    }

    #[test]
    fn each_later_field_is_kept_on_its_own() {
        let expected = Fields { name: "new".into(), tags: vec!["b".into()], note: Some("stored".into()) };
        assert_eq!(replaced(json!({"name": "new", "tags": ["b"]})), expected);
    }
}
